// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/layout.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::app {

/// A setting: its dotted key is what files nest, `las config` names, and LAS_* spells in capitals
/// ("fetch.parallel" is LAS_FETCH_PARALLEL).
struct Setting {
  enum class Type { Text, Integer, Size, Choice, List };
  Type type = Type::Text;
  const char* key;
  const char* default_value;
  const char* description;             ///< marked for translation, shown by `las config list`
  std::vector<std::string> choices;    ///< Choice
  long long minimum = 0, maximum = 0;  ///< Integer; both 0: no limits
};

const std::vector<Setting>& settings();

/// The configuration of one run. Later layers win: defaults, <config>/config.yaml,
/// <config>/config.d/*.yaml (by name), the user's file (~/.config/las/config.yaml), LAS_*
/// environment, command-line flags. Lists are replaced, not merged.
class Config {
 public:
  struct Value {
    std::string text;    ///< List: items joined by ','
    std::string origin;  ///< "default", a file, "LAS_FETCH_PARALLEL", "--fetch-parallel"
  };

  /// Reads all layers. An unknown key or a wrong value is InvalidData that lists every fault with
  /// file, line and suggestion (for LAS_* variables: Usage).
  static Config load(const platform::FileReader& files,
                     const platform::Layout& layout,
                     const platform::Environment& environment,
                     const std::map<std::string, std::string>& flags);

  const Value& get(std::string_view key) const;  ///< NotFound with a suggestion

  std::string text(std::string_view key) const { return get(key).text; }

  long long integer(std::string_view key) const;
  std::optional<ByteSize> size(std::string_view key) const;  ///< nothing when empty
  std::vector<std::string> list(std::string_view key) const;

  const std::map<std::string, Value, std::less<>>& values() const { return values_; }

 private:
  std::map<std::string, Value, std::less<>> values_;
};

/// Throws Usage when `key` is not a setting (with suggestion) or `value` is not one for it.
void check_setting(std::string_view key, std::string_view value);

/// The file `las config set` writes: the system's for root in system scope, else the user's.
std::filesystem::path writable_config_file(const platform::Layout& layout,
                                           const platform::Environment& environment);
/// Sets or (nothing) unsets one key in that file, keeping comments. Returns the file.
std::filesystem::path write_setting(platform::FileSystem& files,
                                    const platform::Layout& layout,
                                    const platform::Environment& environment,
                                    const std::string& key,
                                    const std::optional<std::string>& value);

}  // namespace las::app
