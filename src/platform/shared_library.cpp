// SPDX-License-Identifier: Apache-2.0
#include "las/platform/shared_library.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <dlfcn.h>

namespace las::platform {

namespace {

std::string loader_message() {
  const char* message = ::dlerror();
  return message != nullptr ? message : "";
}

}  // namespace

SharedLibrary::SharedLibrary(std::initializer_list<const char*> sonames) {
  std::string first_message;
  for (const char* soname : sonames) {
    handle_ = ::dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
    if (handle_ != nullptr) {
      soname_ = soname;
      return;
    }
    // The first name is the preferred one: its complaint is what the user can act on.
    std::string message = loader_message();
    if (first_message.empty())
      first_message = std::move(message);
  }
  throw Error(ErrorKind::NotFound,
              _("cannot load a shared library"),
              sonames.size() > 0 ? *sonames.begin() : "")
      .cause(first_message);
}

void* SharedLibrary::symbol(const char* name) const {
  void* address = find_symbol(name);
  if (address == nullptr) {
    throw Error(ErrorKind::NotFound, _("the shared library is too old"), soname_)
        .cause(std::string(name));
  }
  return address;
}

void* SharedLibrary::find_symbol(const char* name) const noexcept {
  return ::dlsym(handle_, name);
}

}  // namespace las::platform
