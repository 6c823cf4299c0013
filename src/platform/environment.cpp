// SPDX-License-Identifier: Apache-2.0
#include "las/platform/environment.hpp"

#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace las::platform {

namespace {

struct Account {
  std::string name, home;
};

// The name service switch loads several libraries; most accounts stand in the local file.
std::optional<Account> find_account(uid_t uid) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (std::FILE* file = std::fopen("/etc/passwd", "re")) {
    while (fgetpwent_r(file, &entry, buffer.data(), buffer.size(), &found) == 0) {
      if (found->pw_uid == uid)
        break;
      found = nullptr;
    }
    static_cast<void>(std::fclose(file));
  }
  if (found == nullptr && getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0)
    found = nullptr;
  if (found == nullptr)
    return std::nullopt;
  return Account{found->pw_name, found->pw_dir};
}

std::string running_executable() {
  std::array<char, PATH_MAX> buffer{};
  const ssize_t size = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  if (size <= 0)
    return {};
  std::string path(buffer.data(), static_cast<std::size_t>(size));
  // An upgrade may have replaced the file under the running program.
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted))
    path.resize(path.size() - kDeleted.size());
  return path;
}

class SystemClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override {
    return std::chrono::system_clock::now();
  }

  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::now();
  }

  void wait(std::chrono::milliseconds duration) override { std::this_thread::sleep_for(duration); }
};

struct UtcTime {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::seconds> time;
};

UtcTime to_utc(std::chrono::system_clock::time_point point) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(point);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  return {std::chrono::year_month_day(day),
          std::chrono::hh_mm_ss<std::chrono::seconds>(seconds - day)};
}

std::string format_utc(fmt::string_view pattern, std::chrono::system_clock::time_point point) {
  const UtcTime utc = to_utc(point);
  return fmt::format(fmt::runtime(pattern),
                     static_cast<int>(utc.date.year()),
                     static_cast<unsigned>(utc.date.month()),
                     static_cast<unsigned>(utc.date.day()),
                     utc.time.hours().count(),
                     utc.time.minutes().count(),
                     utc.time.seconds().count());
}

// Takes exactly `digits` digits from the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits)
    return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9')
      return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text[0] != expected)
    return false;
  text.remove_prefix(1);
  return true;
}

// "Z" or "+02:00" at the end of `text`.
std::optional<std::chrono::minutes> take_offset(std::string_view text) {
  if (text == "Z" || text == "z")
    return std::chrono::minutes(0);
  const bool west = take(text, '-');
  if (!west && !take(text, '+'))
    return std::nullopt;
  const auto hours = take_number(text, 2);
  const bool colon = take(text, ':');
  const auto minutes = take_number(text, 2);
  if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59 || !text.empty())
    return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return west ? -offset : offset;
}

}  // namespace

Environment read_environment() {
  Environment result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos && equals > 0)
      result.variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  result.uid = ::geteuid();
  const auto account = find_account(result.uid);
  result.user = account ? account->name : std::to_string(result.uid);
  result.home = result.get("HOME").value_or(account ? account->home : "");

  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0)
    result.host_name = host.data();
  std::ifstream boot_id("/proc/sys/kernel/random/boot_id");
  std::getline(boot_id, result.boot_id);
  result.executable = running_executable();
  return result;
}

std::unique_ptr<Clock> make_system_clock() {
  return std::make_unique<SystemClock>();
}

std::string to_iso8601(std::chrono::system_clock::time_point time) {
  return format_utc("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", time);
}

std::optional<std::chrono::system_clock::time_point> from_iso8601(const std::string& input) {
  std::string_view text(input);
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-'))
    return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-'))
    return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !(take(text, 'T') || take(text, ' ')))
    return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ':'))
    return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take(text, ':'))
    return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second)
    return std::nullopt;
  // Fractions appear in foreign documents; las counts in whole seconds.
  if (take(text, '.')) {
    if (!take_number(text, 1))
      return std::nullopt;
    while (take_number(text, 1)) {
    }
  }
  const auto offset = take_offset(text);
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  // A leap second (:60) is the first second of the next minute.
  if (!offset || !date.ok() || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second) - *offset;
}

std::optional<std::chrono::system_clock::time_point> end_of_local_day(const std::string& input) {
  std::string_view text(input);
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-'))
    return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-'))
    return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !text.empty())
    return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok())
    return std::nullopt;
  std::tm next{};
  next.tm_year = *year - 1900;
  next.tm_mon = *month - 1;
  next.tm_mday = *day + 1;  // mktime carries it into the next month
  next.tm_isdst = -1;
  const std::chrono::seconds end(std::mktime(&next));
  // The clock ends in 2262: what is later is as late as it can say.
  using Time = std::chrono::system_clock::time_point;
  const auto last =
      std::chrono::duration_cast<std::chrono::seconds>(Time::max().time_since_epoch());
  return Time(std::min(end, last));
}

std::string make_operation_id(std::chrono::system_clock::time_point now) {
  std::random_device random;
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() %
      1'000'000;
  return format_utc("{:04}{:02}{:02}T{:02}{:02}{:02}", now) +
         fmt::format(".{:06}-{:04x}", micros, random() & 0xffffU);
}

}  // namespace las::platform
