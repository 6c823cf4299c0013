// SPDX-License-Identifier: Apache-2.0
#include "las/platform/journal.hpp"

#include "libsystemd.hpp"

#include <vector>

#include <sys/uio.h>
#include <unistd.h>

namespace las::platform {

bool journal_available() {
  return ::access("/run/systemd/journal/socket", W_OK) == 0;
}

void send_to_journal(const std::map<std::string, std::string>& fields) noexcept {
  try {
    std::vector<std::string> lines;
    lines.reserve(fields.size());
    for (const auto& [name, value] : fields)
      lines.push_back(name + "=" + value);
    std::vector<iovec> vectors;
    vectors.reserve(lines.size());
    for (std::string& line : lines)
      vectors.push_back({line.data(), line.size()});
    (void)LibSystemd::get().journal_sendv(vectors.data(), static_cast<int>(vectors.size()));
  } catch (...) {
    return;
  }
}

}  // namespace las::platform
