// SPDX-License-Identifier: Apache-2.0
// The composition root: the real platform, the signals, the streams. Nothing else is decided here.
#include "las/cli/cli.hpp"

#include <clocale>
#include <csignal>
#include <iostream>

#include <libintl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

las::Cancellation cancellation;

void on_signal(int signal_number) {
  // A second one while we clean up changes nothing: undoing must not be cut short by impatience.
  if (!cancellation.requested())
    cancellation.request(signal_number);
}

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    sigaction(number, &action, nullptr);
  // Inherited as ignored, it would lose the exit statuses of our children.
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &standard, nullptr);
  // A reader that goes away (las list | head) is an error of the stream, not the end of the
  // process.
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

int terminal_width(int descriptor) {
  winsize size = {};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

int main(int argc, char** argv) {
  // All that las asks of a locale; each category is one more file to map. Numbers in JSON,
  // manifests and units are never localised.
  std::setlocale(LC_CTYPE, "");
  std::setlocale(LC_MESSAGES, "");
  textdomain("las");
  install_signal_handlers();

  const auto files = las::platform::make_posix_file_system();
  const auto processes = las::platform::make_posix_process_runner();
  const auto clock = las::platform::make_system_clock();
  const las::app::Platform platform{*files, *processes, *clock, las::platform::read_environment()};
  const las::cli::Streams streams{std::cin,
                                  std::cout,
                                  std::cerr,
                                  ::isatty(STDIN_FILENO) == 1,
                                  ::isatty(STDOUT_FILENO) == 1,
                                  ::isatty(STDERR_FILENO) == 1,
                                  [] { return terminal_width(STDERR_FILENO); }};
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return las::cli::run(arguments, platform, streams, cancellation);
}
