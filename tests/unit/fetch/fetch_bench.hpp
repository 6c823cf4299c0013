// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "curl_fetcher.hpp"
#include "support/error_of.hpp"
#include "support/http_stand_in.hpp"
#include "support/manual_clock.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/hasher.hpp"

#include <cstdlib>
#include <fstream>
#include <numeric>
#include <optional>
#include <sstream>

/// A fetcher with everything around it, and servers to ask.
struct FetchBench {
  FetchBench() { ::setenv("no_proxy", "127.0.0.1", 1); }

  std::vector<las::fetch::Fetched> fetch(const std::vector<las::fetch::Artifact>& artifacts) {
    auto own_clock = std::make_unique<las::test::ManualClock>();
    clock = own_clock.get();
    fetcher = std::make_unique<las::fetch::CurlFetcher>(
        other_files != nullptr ? *other_files : *files, options, std::move(own_clock));
    return fetcher->fetch(artifacts, cache, activity);
  }

  las::fetch::Fetched fetch(const las::fetch::Artifact& artifact) {
    return fetch(std::vector{artifact}).at(0);
  }

  /// The error that fetching throws.
  las::Error failure(const las::fetch::Artifact& artifact) {
    const auto error = las::test::error_of([&] { return fetch(artifact); });
    if (!error)
      throw std::logic_error("the fetch succeeded");
    return *error;
  }

  /// How long the last fetch waited, by its clock.
  std::chrono::milliseconds waited() const {
    return std::accumulate(clock->waits.begin(), clock->waits.end(), std::chrono::milliseconds(0));
  }

  std::vector<std::string> warnings() const { return reporter.messages(las::Severity::Warning); }

  /// The events of `reporter` that are about pieces of work, one line each.
  std::vector<std::string> work() const {
    std::vector<std::string> lines;
    for (const las::Event& event : reporter.events())
      describe(event, lines);
    return lines;
  }

  las::fetch::Artifact artifact(const std::vector<std::string>& urls,
                                std::optional<las::Digest> digest = std::nullopt) const {
    return {"foo.tar.gz", "foo 1.2 (foo.tar.gz)", urls, std::move(digest), std::nullopt};
  }

  std::vector<std::string> cache_content() const { return files->list_directory(cache); }

  static std::string content_of(const std::filesystem::path& path) {
    std::ifstream input(path, std::ios::binary);
    std::ostringstream text;
    text << input.rdbuf();
    return text.str();
  }

  static void describe(const las::Event& event, std::vector<std::string>& lines) {
    const auto number = [](std::optional<std::uint64_t> value) {
      return value ? std::to_string(*value) : "?";
    };
    if (const auto* started = std::get_if<las::event::Started>(&event)) {
      lines.push_back("started " + started->id + " '" + started->title + "' " +
                      number(started->total));
    } else if (const auto* progress = std::get_if<las::event::Progress>(&event)) {
      lines.push_back("progress " + progress->id + " " + number(progress->done) + "/" +
                      number(progress->total));
    } else if (const auto* finished = std::get_if<las::event::Finished>(&event)) {
      lines.push_back("finished " + finished->id + (finished->ok ? " ok" : " failed") +
                      (finished->note.empty() ? "" : ": " + finished->note));
    }
  }

  las::test::TempDirectory temp;
  std::filesystem::path cache = temp / "downloads";
  std::unique_ptr<las::platform::FileSystem> files = las::platform::make_posix_file_system();
  las::platform::FileSystem* other_files = nullptr;  ///< instead of `files`, for the fetcher
  las::fetch::FetchOptions options;
  las::test::RecordingReporter reporter;
  las::Cancellation cancellation;
  las::Activity activity{reporter, cancellation};
  las::test::HttpStandIn server;
  std::unique_ptr<las::fetch::CurlFetcher> fetcher;
  las::test::ManualClock* clock = nullptr;  ///< of the last fetch
};

/// `size` bytes that repeat nowhere near, different for each seed.
inline std::string sample_bytes(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

inline las::test::Answer answer_with(const std::string& body, int status = 200) {
  las::test::Answer answer;
  answer.body = body;
  answer.status = status;
  return answer;
}
