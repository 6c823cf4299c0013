// SPDX-License-Identifier: Apache-2.0
#include "las/base/diagnostics.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <numeric>

namespace las {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::Debug:
      return "debug";
    case Severity::Info:
      return "info";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
  }
  return "error";
}

std::string Diagnostic::to_string() const {
  std::string out = file;
  if (line > 0)
    out += ":" + std::to_string(line);
  if (line > 0 && column > 0)
    out += ":" + std::to_string(column);
  if (!out.empty())
    out += ": ";
  out += std::string(las::to_string(severity)) + ": ";
  if (!key_path.empty())
    out += key_path + ": ";
  out += message;
  if (!suggestion.empty())
    out += " (" + suggestion + ")";
  return out;
}

bool Diagnostics::has_errors() const {
  return std::any_of(items_.begin(), items_.end(), [](const Diagnostic& item) {
    return item.severity == Severity::Error;
  });
}

void Diagnostics::throw_if_errors(std::string message) const {
  if (!has_errors())
    return;
  Error error(ErrorKind::InvalidData, std::move(message));
  for (const Diagnostic& item : items_)
    error.context(item.to_string());
  throw error.hint(_("mend what is named above and try again; nothing was changed"));
}

namespace {

// Optimal string alignment distance: a swap of neighbours counts as one slip.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before[j - 2] + 1);
    }
    before.swap(previous);
    previous.swap(current);
  }
  return previous[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string wanted = text::lower(name);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::string lowered = text::lower(candidate);
    std::size_t distance = edit_distance(wanted, lowered);
    // "web" for "web-server": a full prefix is a good guess whatever its length.
    if (wanted.size() >= 3 && lowered.starts_with(wanted))
      distance = std::min<std::size_t>(distance, 1);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace las
