// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/no_processes.hpp"

#include "las/base/error.hpp"
#include "las/base/text.hpp"
#include "las/fetch/fetch.hpp"
#include "las/platform/hasher.hpp"
#include "las/platform/process.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

namespace las::test {

inline void write_file(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

/// "path kind mode content-or-target" of everything below `root`, sorted.
inline std::vector<std::string> listing(const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = entry.path().lexically_relative(root).string();
    char mode[8];
    const auto status = entry.symlink_status();
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.permissions()) & 07777U);
    if (fs::is_symlink(status))
      out.push_back(path + " -> " + fs::read_symlink(entry.path()).string());
    else if (fs::is_directory(status))
      out.push_back(path + "/ " + mode);
    else
      out.push_back(path + " " + mode + " " + read_file(entry.path()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// The Error that `body` throws; a test that expects one fails at `kind` when none comes.
template <typename Body>
Error error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::Usage, "nothing was thrown");
}

class LineReporter : public Reporter {
 public:
  void report(const Event& event) override {
    if (const auto* message = std::get_if<event::Message>(&event)) {
      if (message->severity != Severity::Debug)
        lines.push_back(message->text);
    } else if (const auto* started = std::get_if<event::Started>(&event)) {
      lines.push_back("started " + started->id + ": " + started->title);
    } else if (const auto* finished = std::get_if<event::Finished>(&event)) {
      lines.push_back((finished->ok ? "finished " : "failed ") + finished->id);
    }
  }

  std::vector<std::string> lines;
};

/// Serves files and documents from memory, as if they had come over the network.
class StandInFetcher : public fetch::Fetcher {
 public:
  std::map<std::string, std::string> files;          ///< by URL
  std::map<std::string, fetch::Response> documents;  ///< by URL
  std::vector<std::string> log;

  std::vector<fetch::Fetched> fetch(const std::vector<fetch::Artifact>& artifacts,
                                    const std::filesystem::path& directory,
                                    const Activity&) override {
    std::vector<fetch::Fetched> out;
    for (const fetch::Artifact& artifact : artifacts) {
      log.push_back("fetch " + artifact.id + " " + artifact.urls.front() + " " +
                    (artifact.digest ? artifact.digest->to_string() : "unpinned"));
      const auto found = files.find(artifact.urls.front());
      if (found == files.end())
        throw Error(ErrorKind::Network, "all urls failed", artifact.urls.front());
      const Digest digest = platform::digest_of(found->second);
      if (artifact.digest && *artifact.digest != digest)
        throw Error(ErrorKind::Integrity, "wrong digest", artifact.urls.front());
      write_file(directory / digest.hex(), found->second);
      out.push_back(
          {directory / digest.hex(), digest, ByteSize(found->second.size()), found->first});
    }
    return out;
  }

  fetch::Response exchange(const fetch::Request& request, const Activity&) override {
    log.push_back("exchange " + request.url);
    const auto found = documents.find(request.url);
    return found == documents.end() ? fetch::Response{404, {}, {}} : found->second;
  }

  fetch::Response stream(const fetch::Request&,
                         const std::function<bool(std::string_view)>&,
                         const Activity&) override {
    throw Error(ErrorKind::Network, "nothing streams here");
  }
};

/// Answers commands from a script instead of running them.
class ScriptedProcesses : public NoProcesses {
 public:
  struct Answer {
    std::string part;  ///< of the command line, arguments joined by spaces
    platform::ProcessResult result;
    bool once = false;
  };

  std::vector<Answer> answers;        ///< the first that fits
  std::vector<std::string> programs;  ///< what find_program finds, in /usr/bin
  std::vector<std::string> log;       ///< command lines
  std::vector<platform::Command> commands;
  std::function<void(const std::string&)> on_run;  ///< before it is answered

  platform::ProcessResult run(const platform::Command& command,
                              const Activity& activity,
                              std::optional<std::chrono::milliseconds>,
                              const std::function<void(std::string_view)>&) override {
    activity.cancellation.throw_if_requested();
    const std::string line = text::join(command.argv, " ");
    log.push_back(line);
    commands.push_back(command);
    if (on_run)
      on_run(line);
    for (auto answer = answers.begin(); answer != answers.end(); ++answer) {
      if (line.find(answer->part) == std::string::npos)
        continue;
      const platform::ProcessResult result = answer->result;
      if (answer->once)
        answers.erase(answer);
      return result;
    }
    throw Error(ErrorKind::Io, "the script has no answer", line);
  }

  std::optional<std::filesystem::path> find_program(std::string_view program,
                                                    std::string_view) const override {
    if (std::find(programs.begin(), programs.end(), program) == programs.end())
      return std::nullopt;
    return std::filesystem::path("/usr/bin") / program;
  }
};

}  // namespace las::test
