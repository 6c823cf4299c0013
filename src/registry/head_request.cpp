// SPDX-License-Identifier: Apache-2.0
#include "head_request.hpp"

#include "location.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <fmt/format.h>

namespace las::registry {

namespace {

// For both files of the head together a slow line needs no longer.
constexpr std::chrono::seconds kLongestRequest{120};

Error too_large(const std::string& url, ByteSize limit) {
  return Error(ErrorKind::Integrity, _("more comes from the registry than may"), url)
      .cause(fmt::format(fmt::runtime(_("more than {}")), limit.to_string()));
}

Error unsigned_index(const std::string& url) {
  return Error(ErrorKind::Integrity, _("the index of the registry has no signature"), url)
      .hint(_("is it the address of a registry? Its keeper makes one with: las registry build"));
}

std::string header(const fetch::Response& response, const std::string& name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string() : found->second;
}

fetch::Response get(const Surroundings& around,
                    fetch::Request request,
                    ByteSize limit,
                    const Activity& activity) {
  request.body_limit = limit;
  request.timeout = kLongestRequest;
  try {
    return around.fetcher.exchange(request, activity);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::InvalidData)
      throw too_large(request.url, limit);
    throw;
  }
}

Error wrong_status(const std::string& url, int status) {
  return Error(ErrorKind::Network, _("the registry does not give its index"), url)
      .cause(fmt::format("HTTP {}", status))
      .hint(_("is the address right? See it with: las registry list"));
}

HeadAnswer ask_by_http(const Surroundings& around,
                       const std::string& url,
                       const Validators& validators,
                       const Activity& activity) {
  fetch::Request request;
  request.url = url + "/" + kHeadPath;
  if (!validators.etag.empty())
    request.headers["If-None-Match"] = validators.etag;
  if (!validators.last_modified.empty())
    request.headers["If-Modified-Since"] = validators.last_modified;
  const bool conditional = !request.headers.empty();
  // A cache on the way may hold the head for long; it is small enough to ask its origin.
  request.headers["Cache-Control"] = "no-cache";
  const fetch::Response head = get(around, request, kHeadLimit, activity);
  HeadAnswer answer;
  if (conditional && head.status == 304) {
    answer.unchanged = true;
    return answer;
  }
  if (head.status != 200)
    throw wrong_status(request.url, head.status);
  fetch::Request second;
  second.url = url + "/" + kSignaturePath;
  second.headers["Cache-Control"] = "no-cache";
  fetch::Response signature = get(around, second, kSignatureLimit, activity);
  if (signature.status == 404 || signature.status == 410)
    throw unsigned_index(second.url);
  if (signature.status != 200)
    throw wrong_status(second.url, signature.status);
  answer.text = head.body;
  answer.signature = std::move(signature.body);
  answer.etag = header(head, "etag");
  answer.last_modified = header(head, "last-modified");
  return answer;
}

HeadAnswer read_folder(const Surroundings& around, const std::filesystem::path& folder) {
  const auto read = [&](const char* name, ByteSize limit) {
    const auto path = folder / name;
    const auto status = around.files.status(path);
    if (status && status->size > limit.bytes())
      throw too_large(path.string(), limit);
    return around.files.read_file(path, limit);
  };
  HeadAnswer answer;
  if (!around.files.exists(folder / kHeadPath))
    throw Error(ErrorKind::Network, _("there is no registry"), folder.string())
        .hint(_("its keeper makes one with: las registry build"));
  answer.text = read(kHeadPath, kHeadLimit);
  if (!around.files.exists(folder / kSignaturePath))
    throw unsigned_index((folder / kSignaturePath).string());
  answer.signature = read(kSignaturePath, kSignatureLimit);
  return answer;
}

}  // namespace

HeadAnswer ask_for_head(const Surroundings& around,
                        const std::string& url,
                        const Validators& validators,
                        const Activity& activity) {
  if (const auto folder = file_of_url(url))
    return read_folder(around, *folder);
  return ask_by_http(around, url, validators, activity);
}

}  // namespace las::registry
