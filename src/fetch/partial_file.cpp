// SPDX-License-Identifier: Apache-2.0
#include "partial_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <nlohmann/json.hpp>

namespace las::fetch {

namespace {

constexpr ByteSize kRecordLimit = ByteSize::kib(64);

std::string algorithm_of(const std::optional<Digest>& digest) {
  return digest ? digest->algorithm() : "sha256";
}

std::string text_field(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<std::uint64_t> number_field(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned())
    return std::nullopt;
  return found->get<std::uint64_t>();
}

}  // namespace

std::string PartialRecord::to_json() const {
  nlohmann::ordered_json json = {{"url", url}, {"etag", etag}, {"last_modified", last_modified}};
  json["size"] = size ? nlohmann::ordered_json(*size) : nlohmann::ordered_json(nullptr);
  if (kept)
    json["kept"] = *kept;
  // A server's header need not be UTF-8.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::optional<PartialRecord> PartialRecord::from_json(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || text_field(json, "url").empty())
    return std::nullopt;
  return PartialRecord{text_field(json, "url"),
                       text_field(json, "etag"),
                       text_field(json, "last_modified"),
                       number_field(json, "size"),
                       number_field(json, "kept")};
}

std::string PartialRecord::validator() const {
  return etag.starts_with('"') ? etag : last_modified;
}

std::filesystem::path cached_path(const std::filesystem::path& directory, const Digest& digest) {
  return directory / (digest.algorithm() + "-" + digest.hex());
}

PartialFile::PartialFile(platform::FileSystem& files,
                         std::filesystem::path directory,
                         std::optional<Digest> digest,
                         const std::string& first_url)
    : files_(files),
      directory_(std::move(directory)),
      path_(directory_ /
            ("partial-" + (digest ? digest->hex() : platform::digest_of(first_url).hex()))),
      record_path_(path_.string() + ".json"),
      digest_(std::move(digest)),
      hasher_(algorithm_of(digest_)) {}

bool PartialFile::adoptable(std::uint64_t on_disk, std::uint64_t limit) const {
  if (on_disk == 0 || on_disk > limit || (record_.size && on_disk > *record_.size))
    return false;
  // A power cut may leave blocks of zeros at the end; only a digest would notice.
  return digest_ || (record_.kept == on_disk && !record_.validator().empty());
}

void PartialFile::adopt(std::uint64_t limit, const Activity& activity) {
  const auto status = files_.status(path_);
  const auto record_status = files_.status(record_path_);
  if (!status)
    return;
  std::optional<PartialRecord> record;
  if (record_status && record_status->kind == platform::FileKind::Regular &&
      record_status->size <= kRecordLimit.bytes())
    record = PartialRecord::from_json(files_.read_file(record_path_, kRecordLimit));
  record_ = record.value_or(PartialRecord{});
  if (!record || status->kind != platform::FileKind::Regular || !adoptable(status->size, limit)) {
    discard();
    return;
  }
  files_.scan_file(path_, [&](std::span<const char> bytes) {
    activity.cancellation.throw_if_requested();
    hasher_.update(bytes);
    size_ += bytes.size();
  });
  if (size_ != status->size) {
    discard();
    return;
  }
  activity.debug("fetch", "taking up " + std::to_string(size_) + " bytes of " + path_.string());
}

std::map<std::string, std::string> PartialFile::resume_headers(const std::string& url) const {
  if (size_ == 0)
    return {};
  std::map<std::string, std::string> headers{{"Range", "bytes=" + std::to_string(size_) + "-"}};
  if (record_.url == url && !record_.validator().empty()) {
    headers["If-Range"] = record_.validator();
    return headers;
  }
  // Another mirror has other validators; that its bytes fit is then for the digest to say.
  return digest_ ? headers : std::map<std::string, std::string>{};
}

void PartialFile::start_over(PartialRecord record) {
  discard();
  record_ = std::move(record);
  save_record();
  writer_ = files_.create_file(path_);
}

void PartialFile::go_on() {
  patched_ = true;
  if (!writer_)
    writer_ = files_.append_file(path_);
  if (record_.kept) {  // the bytes that follow have not reached the disk
    record_.kept.reset();
    save_record();
  }
}

void PartialFile::append(std::string_view bytes) {
  const std::span<const char> span(bytes.data(), bytes.size());
  writer_->write(span);
  hasher_.update(span);
  size_ += bytes.size();
}

void PartialFile::keep() {
  if (!writer_)
    return;
  if (size_ == 0) {
    discard();
    return;
  }
  if (!digest_) {
    writer_->sync();
    record_.kept = size_;
  }
  close();
  if (record_.kept)
    save_record();
}

void PartialFile::discard() {
  writer_.reset();
  files_.remove_tree(path_);
  files_.remove_tree(record_path_);
  record_ = {};
  hasher_ = platform::Hasher(algorithm_of(digest_));
  size_ = 0;
  patched_ = false;
}

Digest PartialFile::finish() {
  return hasher_.finish();
}

std::filesystem::path PartialFile::commit(const Digest& digest) {
  if (!writer_)
    writer_ = files_.append_file(path_);
  writer_->sync();
  close();
  const auto status = files_.status(path_);
  if (!status || status->size != size_) {
    throw Error(ErrorKind::Io, _("a download was changed while it was written"), path_.string())
        .hint(_("another las may be downloading the same file; wait for it and try again"));
  }
  const auto target = cached_path(directory_, digest);
  files_.rename(path_, target);
  files_.remove_file(record_path_);
  return target;
}

void PartialFile::save_record() {
  files_.replace_file(record_path_, record_.to_json());
}

void PartialFile::close() {
  writer_->close();
  writer_.reset();
}

}  // namespace las::fetch
