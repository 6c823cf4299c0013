// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace las {

/// What the caller can do next; main() turns a kind into the exit code (las(1), EXIT STATUS).
enum class ErrorKind {
  Usage,          ///< the command line or an option is wrong: type it differently
  NotFound,       ///< a name that does not exist here: look at the suggestion
  InvalidData,    ///< a document or file that is not what it should be
  PolicyDenied,   ///< a policy rule forbids it on this machine
  Unsatisfiable,  ///< no set of modules satisfies the request
  Network,        ///< a host could not be reached or broke off: try again or go offline
  Integrity,      ///< bytes are not what their digest or signature says: never use them
  Busy,           ///< somebody holds the lock or the port: wait
  Permission,     ///< needs root, or another owner
  NoSpace,        ///< a file system is full
  Interrupted,    ///< the user or the system asked to stop
  Io,             ///< the system refused an operation
  CorruptState,   ///< what las recorded about itself is damaged: `las verify`
};

/// "usage", "not-found" ...: the spelling in JSON output and logs. Stable.
std::string_view to_string(ErrorKind kind);

/// The only exception type that las throws. One clause of message, lower case, no newline, no
/// colour. Exceptions of libraries become an Error in the file that calls the library.
///
/// Render: `las: <message>: <subject>: <cause>`, then `  while <context>` lines, then `hint:
/// <hint>`.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string subject = {});

  Error& cause(std::string text) &;
  Error&& cause(std::string text) &&;
  /// What to type or do next; shown after "hint: ".
  Error& hint(std::string text) &;
  Error&& hint(std::string text) &&;
  /// What a layer was doing ("installing foo 1.2"); added on the way up, innermost first.
  Error& context(std::string text) &;
  Error&& context(std::string text) &&;
  /// Something visible had been changed and was changed back (exit code 8).
  Error& rolled_back(bool value) &;
  /// What could not be changed back, in words; together with rolled_back().
  Error& left_behind(std::vector<std::string> what) &;

  ErrorKind kind() const { return kind_; }

  const std::string& message() const { return message_; }

  const std::string& subject() const { return subject_; }

  const std::string& cause() const { return cause_; }

  const std::string& hint() const { return hint_; }

  const std::vector<std::string>& contexts() const { return contexts_; }

  bool was_rolled_back() const { return rolled_back_; }

  const std::vector<std::string>& left_behind() const { return left_behind_; }

  /// "<message>: <subject>: <cause>", for logs and nested causes.
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  void compose();

  ErrorKind kind_;
  std::string message_, subject_, cause_, hint_, what_;
  std::vector<std::string> contexts_, left_behind_;
  bool rolled_back_ = false;
};

/// Runs `body`; an Error that leaves it gains the context `text()` first. `text` is a callable so
/// that the string is made only when something failed.
template <typename Text, typename Body>
decltype(auto) with_context(Text&& text, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.context(std::forward<Text>(text)());
    throw;
  }
}

/// An Error from errno: ENOSPC/EDQUOT become NoSpace, EACCES/EPERM/EROFS Permission, ENOENT
/// NotFound (with a hint about the path), EINTR Interrupted, anything else Io. `message` says what
/// could not be done.
Error system_error(int error_number, std::string message, std::string subject = {});

}  // namespace las
