// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "apt_recordings.hpp"
#include "source_bench.hpp"
#include "support/faulty_file_system.hpp"

#include <fmt/format.h>

namespace las::test {

/// Files of this machine, but for dpkg's list of packages.
class FilesOfDebian : public FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;

  std::string read_file(const platform::fs::path& path,
                        ByteSize limit = ByteSize::mib(16)) const override {
    if (path == "/var/lib/dpkg/status")
      return "Package: dpkg\nEssential: yes\nStatus: install ok installed\n\n"
             "Package: editor\nPriority: important\nStatus: install ok installed\n\n";
    return FaultyFileSystem::read_file(path, limit);
  }
};

/// The source of unpacked packages over stand-ins for apt and dpkg-deb: what was published is what
/// they fetch and unpack.
struct DebBench : SourceBench {
  struct Package {
    std::string version, bytes;
    Digest digest;
    std::map<std::string, std::string> files;  ///< path → content
  };

  FilesOfDebian debian{*files};
  std::map<std::string, Package> packages;
  std::string status_seen;  ///< the list that apt was to plan against
  std::function<void(const std::filesystem::path& payload)> after_unpacking;
  std::unique_ptr<source::SourceKind> deb =
      source::make_deb_source({debian, processes, fetcher, environment, layout});

  explicit DebBench(std::vector<std::string> names) {
    environment.variables = {{"http_proxy", "http://proxy:3128"}, {"LC_ALL", "de_DE.UTF-8"}};
    processes.programs = {"apt-get", "apt-cache", "dpkg-deb"};
    processes.on_run = [this](const std::string& line) { act(line); };
    layout.state = folder / "state";
    source.how = catalog::DebSource{std::move(names), {}, {}, {}};
    request.module = "db";
    request.version = "0";
    request.staging = folder / "staging";
  }

  catalog::DebSource& deb_source() { return std::get<catalog::DebSource>(source.how); }

  void answer(std::string part, std::string out, int status = 0) {
    processes.answers.push_back({std::move(part), {status, std::move(out), ""}, false});
  }

  void answer_first(std::string part, std::string out, int status) {
    processes.answers.insert(processes.answers.begin(),
                             {std::move(part), {status, std::move(out), ""}, false});
  }

  /// Puts a package into the stand-in for a mirror.
  void publish(const std::string& name,
               const std::string& version,
               const std::map<std::string, std::string>& content) {
    std::string bytes = name + " " + version + "\n";
    for (const auto& [path, text] : content)
      bytes += path + " " + text + "\n";
    packages[name] = {version, bytes, platform::digest_of(bytes), content};
  }

  /// What `apt-get -s install` says that it would install; the mirror answers what was published.
  void simulate(const std::map<std::string, std::string>& installed) {
    std::string out;
    for (const auto& [name, version] : installed)
      out += fmt::format("Inst {} ({} Debian:12 [amd64])\n", name, version);
    answer("apt-get -s", out);
  }

  Digest digest(const std::string& package) const { return packages.at(package).digest; }

  std::string download(const std::string& package) const {
    return (request.staging / "debs" / file_name(package)).string();
  }

  std::string unavailable() { return deb->unavailable(source, activity); }

  source::Staged stage() {
    std::string uris;
    for (const auto& [name, package] : packages)
      uris += fmt::format("'http://mirror.example/{0}' {0} {1} SHA256:{2}\n",
                          file_name(name),
                          package.bytes.size(),
                          package.digest.hex());
    answer("--print-uris", uris);
    answer("apt-get -q download", "");
    answer("dpkg-deb -x", "");
    std::filesystem::remove_all(request.staging);
    std::filesystem::create_directories(request.staging);
    return deb->stage(request, activity);
  }

 private:
  std::string file_name(const std::string& package) const {
    std::string version;
    for (const char c : packages.at(package).version)
      version += c == ':' ? std::string("%3a") : std::string(1, c);
    return package + "_" + version + "_amd64.deb";
  }

  void act(const std::string& line) {
    const platform::Command& command = processes.commands.back();
    if (line.starts_with("apt-get -s"))
      status_seen = test::read_file(request.staging / "status");
    if (line.starts_with("apt-get -q download") && line.find("--print-uris") == std::string::npos)
      for (const auto& [name, package] : packages)
        write_file(command.working_directory / file_name(name), package.bytes);
    if (line.starts_with("dpkg-deb -x"))
      unpack(command.argv.at(2), command.argv.at(3));
  }

  void unpack(const std::filesystem::path& file, const std::filesystem::path& payload) {
    const std::string name = file.filename().string();
    for (const auto& [path, content] : packages.at(name.substr(0, name.find('_'))).files) {
      write_file(payload / path, content);
      if (path.find("bin/") != std::string::npos)
        std::filesystem::permissions(payload / path, std::filesystem::perms(0755));
    }
    if (after_unpacking)
      after_unpacking(payload);
  }
};

}  // namespace las::test
