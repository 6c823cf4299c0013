// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <string>

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

/// Runs `body` in a child process without root's powers (the user "nobody" where the tests run as
/// root), since root passes every permission check. Gives "" or what went wrong.
inline std::string as_ordinary_user(const std::function<std::string()>& body) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0)
    return "pipe failed";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string result;
    constexpr unsigned kNobody = 65534;
    if (::geteuid() == 0 &&
        (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) {
      result = "cannot drop root";
    } else {
      try {
        result = body();
      } catch (const std::exception& error) {
        result = error.what();
      }
    }
    static_cast<void>(::write(ends[1], result.data(), result.size()) < 0);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string result;
  char buffer[4096];
  ssize_t size = 0;
  while ((size = ::read(ends[0], buffer, sizeof buffer)) > 0)
    result.append(buffer, static_cast<std::size_t>(size));
  ::close(ends[0]);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0)
    return "child died: " + std::to_string(status);
  return result;
}
