// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/error_of.hpp"
#include "support/http_stand_in.hpp"
#include "support/manual_clock.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/platform/hasher.hpp"
#include "las/registry/build.hpp"
#include "las/registry/copy.hpp"
#include "las/registry/refresh.hpp"

#include <cstdlib>

namespace las::test {

/// A publisher with a folder of manifests, a loopback web server in place of the host that serves
/// the tree, and a machine that has added the registry. Downloads are the real ones.
struct RegistryBench {
  RegistryBench() {
    ::setenv("no_proxy", "127.0.0.1", 1);
    server.serve_others([this](const SeenRequest& request) { return answer(request); });
    files->make_directories(copies);
    record.name = "lab";
    record.url = server.url("/registry");
    record.public_key = registry::key_line(registry::public_half(key));
  }

  static std::string manifest_text(const std::string& name, const std::string& version) {
    return "name: " + name + "\ncategory: tool\nversion: '" + version +
           "'\ndescription: a test tool\n";
  }

  void manifest(const std::string& name, const std::string& version) {
    temp.write("manifests/" + name + "/manifest.yaml", manifest_text(name, version));
  }

  registry::Built build(registry::BuildRequest request = {}) { return build_with(key, request); }

  registry::Built build_with(const registry::SecretKey& signer, registry::BuildRequest request) {
    if (request.registry.empty())
      request.registry = "lab";
    if (request.created == std::chrono::system_clock::time_point())
      request.created = clock.now();
    Diagnostics diagnostics;
    const auto publication = registry::read_publication(
        *files, temp / "manifests", registry::public_half(signer), diagnostics);
    diagnostics.throw_if_errors("the manifests have faults");
    return registry::build_tree(*files, publication, tree, signer, request);
  }

  registry::Refreshed refresh(const registry::RefreshOptions& options = {}) {
    return registry::refresh({*files, *fetcher, clock, copies, temp / "cache"},
                             record,
                             options,
                             Activity{reporter, cancellation});
  }

  /// As las does it: the record is what makes a snapshot count.
  registry::Refreshed update(const registry::RefreshOptions& options = {}) {
    registry::Refreshed result = refresh(options);
    record = result.record;
    registry::sweep(*files, copies, record);
    return result;
  }

  /// The refusal; the machine is checked to be what it was.
  Error refusal(const registry::RefreshOptions& options = {}) {
    const Digest before = platform::digest_of_tree(*files, temp / "machine");
    const auto error = error_of([&] { return refresh(options); });
    if (!error)
      throw std::logic_error("the refresh succeeded");
    if (platform::digest_of_tree(*files, temp / "machine") != before)
      throw std::logic_error("something changed on the disk");
    if (error->kind() == ErrorKind::Integrity && files->exists(temp / "cache/lab"))
      throw std::logic_error("what was refused is in the cache");
    return *error;
  }

  std::string installed(const std::string& name) const {
    const auto path = registry::snapshot_folder(copies, record) / name / "manifest.yaml";
    return files->exists(path) ? files->read_file(path) : "";
  }

  /// What the tree's files are at the server, for putting something else there.
  std::string published(const std::string& path) const { return files->read_file(tree / path); }

  void replace(const std::string& path, const std::string& content) {
    files->replace_file(tree / path, content);
  }

  /// Signs another text as the head of the tree.
  void sign_head(const std::string& text) {
    replace("index.json", text);
    replace("index.json.minisig", registry::sign(key, text, "by hand"));
  }

  /// The same with the text of the one shard, which the head then names.
  void sign_shard(const std::string& text) {
    registry::Head head = registry::parse_head(published("index.json"));
    const Digest digest = platform::digest_of(text);
    head.shards.at(0).shard = {digest, ByteSize(text.size())};
    replace(registry::shard_path(digest), text);
    ++head.version;
    sign_head(registry::head_text(head));
  }

  std::vector<std::string> asked() const {
    std::vector<std::string> targets;
    for (const SeenRequest& request : server.requests())
      targets.push_back(request.target);
    return targets;
  }

  TempDirectory temp;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  std::unique_ptr<fetch::Fetcher> fetcher = fetch::make_curl_fetcher(*files, {});
  ManualClock clock;
  RecordingReporter reporter;
  Cancellation cancellation;
  std::filesystem::path tree = temp / "tree", copies = temp / "machine/registries";
  registry::SecretKey key = registry::make_secret_key();
  state::RegistryRecord record;
  HttpStandIn server;

 private:
  Answer answer(const SeenRequest& request) {
    const std::string prefix = "/registry/";
    const auto path = tree / request.target.substr(prefix.size());
    Answer out;
    if (!request.target.starts_with(prefix) || !files->exists(path)) {
      out.status = 404;
      return out;
    }
    out.body = files->read_file(path);
    const std::string etag = '"' + platform::digest_of(out.body).short_hex() + '"';
    if (request.header("if-none-match") == etag) {
      out.body.clear();
      out.status = 304;
    }
    out.headers["ETag"] = etag;
    return out;
  }
};

}  // namespace las::test
