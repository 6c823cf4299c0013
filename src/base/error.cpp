// SPDX-License-Identifier: Apache-2.0
#include "las/base/error.hpp"

#include "las/base/i18n.hpp"

#include <cerrno>
#include <system_error>

namespace las {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Usage:
      return "usage";
    case ErrorKind::NotFound:
      return "not-found";
    case ErrorKind::InvalidData:
      return "invalid-data";
    case ErrorKind::PolicyDenied:
      return "policy-denied";
    case ErrorKind::Unsatisfiable:
      return "unsatisfiable";
    case ErrorKind::Network:
      return "network";
    case ErrorKind::Integrity:
      return "integrity";
    case ErrorKind::Busy:
      return "busy";
    case ErrorKind::Permission:
      return "permission";
    case ErrorKind::NoSpace:
      return "no-space";
    case ErrorKind::Interrupted:
      return "interrupted";
    case ErrorKind::Io:
      return "io";
    case ErrorKind::CorruptState:
      return "corrupt-state";
  }
  return "io";
}

Error::Error(ErrorKind kind, std::string message, std::string subject)
    : kind_(kind), message_(std::move(message)), subject_(std::move(subject)) {
  compose();
}

Error& Error::cause(std::string text) & {
  cause_ = std::move(text);
  compose();
  return *this;
}

Error&& Error::cause(std::string text) && {
  return std::move(cause(std::move(text)));
}

Error& Error::hint(std::string text) & {
  hint_ = std::move(text);
  return *this;
}

Error&& Error::hint(std::string text) && {
  return std::move(hint(std::move(text)));
}

Error& Error::context(std::string text) & {
  contexts_.push_back(std::move(text));
  return *this;
}

Error&& Error::context(std::string text) && {
  return std::move(context(std::move(text)));
}

Error& Error::rolled_back(bool value) & {
  rolled_back_ = value;
  return *this;
}

Error& Error::left_behind(std::vector<std::string> what) & {
  left_behind_ = std::move(what);
  return *this;
}

void Error::compose() {
  what_ = message_;
  if (!subject_.empty())
    what_ += ": " + subject_;
  if (!cause_.empty())
    what_ += ": " + cause_;
}

Error system_error(int error_number, std::string message, std::string subject) {
  ErrorKind kind = ErrorKind::Io;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      kind = ErrorKind::NoSpace;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      kind = ErrorKind::Permission;
      break;
    case ENOENT:
      kind = ErrorKind::NotFound;
      break;
    case EINTR:
      kind = ErrorKind::Interrupted;
      break;
    default:
      break;
  }
  Error error(kind, std::move(message), std::move(subject));
  error.cause(std::generic_category().message(error_number));
  if (kind == ErrorKind::NotFound)
    error.hint(_("check the path: is it spelled as the file is, and is the file there?"));
  if (error_number == EROFS)
    error.hint(_("the file system is mounted read-only; the kernel says why: dmesg"));
  return error;
}

}  // namespace las
