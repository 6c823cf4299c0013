// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/registry/refresh.hpp"

#include <string>

namespace las::registry {

/// What an address answers when it is asked for the head.
struct HeadAnswer {
  bool unchanged = false;  ///< "304 Not Modified": everything else is empty
  std::string text, signature;
  std::string etag, last_modified;
};

/// What was accepted before, to be sent along; empty: ask unconditionally.
struct Validators {
  std::string etag, last_modified;
};

/// Network where nobody answers as they should; Integrity where more comes than may, or no
/// signature. Nothing is judged here.
HeadAnswer ask_for_head(const Surroundings& around,
                        const std::string& url,
                        const Validators& validators,
                        const Activity& activity);

}  // namespace las::registry
