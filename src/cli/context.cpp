// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <istream>
#include <ostream>

#include <fmt/format.h>

namespace las::cli {

std::string shown(std::string_view text) {
  constexpr std::size_t kLongestSentence = 4000;
  return text::printable(text, kLongestSentence);
}

Error output_error(bool is_done) {
  if (is_done)
    return Error(ErrorKind::Io,
                 _("all of it was done; only its output could not be written to standard output"))
        .hint(_("see what was done with: las history"));
  return Error(ErrorKind::Io, _("could not write to standard output"))
      .hint(_("is the disk full, or did the program that reads it end?"));
}

void Context::take_turn() const {
  if (!options.dry_run && session.config().integer("lock.wait") > 0)
    session.writer(activity);
}

void Context::note(const std::string& line) const {
  if (!options.quiet)
    streams.err << shown(in_scope(line, options)) << std::endl;
}

void Context::print_json(nlohmann::ordered_json document) const {
  nlohmann::ordered_json whole = {{"schema", 1}};
  whole.update(document);
  out << whole.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

void Context::unchanged(const std::string& line, bool success) const {
  if (options.json)
    print_json({{"success", success}, {"changed", false}, {"message", line}});
  else
    note(line);
}

int Context::would_change(const std::string& line) const {
  unchanged(line);
  return options.detailed_exit ? 10 : 0;
}

bool Context::confirm(const std::string& question) const {
  if (options.yes)
    return true;
  if (!streams.in_is_terminal)
    throw Error(ErrorKind::Usage, _("cannot ask: standard input is no terminal"))
        .hint(_("say --yes to go on without asking, or --dry-run to only look"));
  if (!out)
    throw output_error(false);
  while (true) {
    streams.err << shown(question) << " [Y/n] " << std::flush;
    std::string answer;
    if (!std::getline(streams.in, answer)) {
      activity.cancellation.throw_if_requested();
      return false;
    }
    answer = text::lower(text::trim(answer));
    if (answer.empty() || answer == "y" || answer == "yes" || answer == text::lower(_("yes")))
      return true;
    if (answer == "n" || answer == "no" || answer == text::lower(_("no")))
      return false;
  }
}

std::string Context::bold(const std::string& text) const {
  return color ? "\033[1m" + shown(text) + "\033[0m" : shown(text);
}

std::string Context::dim(const std::string& text) const {
  return color ? "\033[2m" + shown(text) + "\033[0m" : shown(text);
}

std::string Context::paint(const std::string& text, int ansi_color) const {
  return color ? fmt::format("\033[{}m{}\033[0m", ansi_color, shown(text)) : shown(text);
}

}  // namespace las::cli
