// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

/// Messages to users pass through these from the first day; xgettext collects them into po/las.pot.
/// Developer-facing text (logs at debug level, JSON keys, identifiers) is not translated.
namespace las {

/// The translation of `text` in the user's language, or `text` itself.
std::string translate(const char* text);
/// The plural form for `count`.
std::string translate(const char* singular, const char* plural, unsigned long count);

}  // namespace las

#define _(text) ::las::translate(text)
#define LAS_N(singular, plural, count) ::las::translate(singular, plural, count)
