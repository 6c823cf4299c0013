// SPDX-License-Identifier: Apache-2.0
#include "las/base/i18n.hpp"

#include <libintl.h>

namespace las {

namespace {
constexpr const char* kDomain = "las";
}  // namespace

std::string translate(const char* text) {
  return dgettext(kDomain, text);
}

std::string translate(const char* singular, const char* plural, unsigned long count) {
  return dngettext(kDomain, singular, plural, count);
}

}  // namespace las
