// SPDX-License-Identifier: Apache-2.0
#include "las/base/activity.hpp"

#include "las/base/i18n.hpp"

namespace las {

void Cancellation::throw_if_requested() const {
  if (requested())
    throw Error(ErrorKind::Interrupted, _("interrupted"));
}

}  // namespace las
