// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>

namespace las::platform {

/// A library opened at run time: because loading it is dear and most commands do not need it, or
/// because most machines do not have it. Never closed (their threads and atexit handlers survive).
class SharedLibrary {
 public:
  /// The first of `sonames` that opens. NotFound with the loader's words as cause if none does.
  explicit SharedLibrary(std::initializer_list<const char*> sonames);

  /// Throws NotFound when the library lacks the symbol (too old).
  void* symbol(const char* name) const;
  /// nullptr when absent.
  void* find_symbol(const char* name) const noexcept;

  template <typename Function>
  void load(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(symbol(name));
  }

 private:
  void* handle_ = nullptr;
  std::string soname_;
};

}  // namespace las::platform
