// SPDX-License-Identifier: Apache-2.0
#include "download.hpp"

#include "content_range.hpp"
#include "redirect.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::fetch {

namespace {

/// A server that asks for more patience than this is left for the next source.
constexpr std::chrono::seconds kLongestWait{120};
/// A try that brought this much does not count: long downloads outlive many broken connections.
constexpr std::uint64_t kWorthwhile = 1024 * 1024;
constexpr std::chrono::milliseconds kProgressInterval{100};

std::optional<std::uint64_t> content_length(const ResponseHead& head) {
  return parse_number(head.header("content-length"));
}

}  // namespace

Download::Download(DownloadSetting& setting, Artifact artifact)
    : setting_(setting),
      artifact_(std::move(artifact)),
      partial_(setting.files,
               setting.directory,
               artifact_.digest,
               artifact_.urls.empty() ? "" : artifact_.urls.front()) {}

std::uint64_t Download::limit() const {
  return artifact_.size.value_or(setting_.options.unknown_size_cap).bytes();
}

std::optional<std::uint64_t> Download::total() const {
  if (partial_.record().size)
    return partial_.record().size;
  return artifact_.size ? std::optional(artifact_.size->bytes()) : std::nullopt;
}

bool Download::try_cache() {
  if (!artifact_.digest)
    return false;
  const auto path = cached_path(setting_.directory, *artifact_.digest);
  const auto status = setting_.files.status(path);
  if (!status)
    return false;
  const bool is_file = status->kind == platform::FileKind::Regular;
  const bool size_fits = artifact_.size && status->size == artifact_.size->bytes();
  // Files get their name only after verification, so the size is enough where it is known.
  if (is_file && (size_fits || platform::digest_of_file(path, artifact_.digest->algorithm()) ==
                                   *artifact_.digest)) {
    setting_.activity.debug("fetch", artifact_.id + " is in the cache: " + path.string());
    fetched_ = Fetched{path, *artifact_.digest, ByteSize(status->size), ""};
    return true;
  }
  setting_.activity.warn(
      "fetch",
      fmt::format(fmt::runtime(_("{} is damaged and is downloaded again")), path.string()));
  setting_.files.remove_tree(path);
  return false;
}

void Download::prepare() {
  if (try_cache())
    return;
  if (artifact_.urls.empty())
    throw Error(ErrorKind::NotFound, _("there is no address to download from"), artifact_.title);
  partial_.adopt(limit(), setting_.activity);
  furthest_ = partial_.size();
  if (partial_.size() == 0 || total() != partial_.size())
    return;
  // Everything had arrived before an earlier run ended; asking for the rest would ask for nothing.
  const Digest digest = partial_.finish();
  if (digest == artifact_.digest)
    succeed(digest, partial_.commit(digest), "");
  else
    partial_.discard();
}

void Download::start() {
  const auto& activity = setting_.activity;
  if (!started_event_) {
    started_event_ = true;
    activity.reporter.report(event::Started{
        event_id(), fmt::format(fmt::runtime(_("Downloading {}")), artifact_.title), total()});
    report_progress(true);
  }
  Request request;
  request.url = url();
  const bool local = text::lower(url().substr(0, 5)) == "file:";
  if (!local)
    request.headers = partial_.resume_headers(url());
  asked_for_rest_ = !request.headers.empty();
  rest_refused_ = false;
  wrong_content_.clear();
  ++tries_;
  activity.debug("fetch",
                 artifact_.id + ": asking " + shown_url(url()) + " from byte " +
                     std::to_string(asked_for_rest_ ? partial_.size() : 0));
  TransferLimits limits;
  limits.connect = setting_.options.connect_timeout;
  limits.stall = setting_.options.stall_timeout;
  if (!local)
    limits.gate = setting_.gate;
  limits.ca_file = setting_.options.ca_file;
  Sink& sink = *this;
  transfer_ = std::make_unique<Transfer>(setting_.multi, std::move(request), limits, sink);
  transfer_->start();
}

bool Download::begin(const ResponseHead& head) {
  if (head.status == 0 || head.status == 200)
    return begin_whole(head);
  if (head.status == 206 && asked_for_rest_)
    return begin_rest(head);
  rest_refused_ = head.status == 416 && asked_for_rest_;
  return false;
}

bool Download::begin_whole(const ResponseHead& head) {
  const auto length = content_length(head);
  if (!size_is_fine(length))
    return false;
  partial_.start_over({url(), head.header("etag"), head.header("last-modified"), length, {}});
  check_space(total());
  return true;
}

bool Download::begin_rest(const ResponseHead& head) {
  const auto range = parse_content_range(head.header("content-range"));
  const auto known = partial_.record().size;
  if (!range || range->first != partial_.size() ||
      (known && range->total && range->total != known)) {
    rest_refused_ = true;
    return false;
  }
  if (!size_is_fine(range->total))
    return false;
  check_space(range->total);
  partial_.go_on();
  return true;
}

bool Download::size_is_fine(std::optional<std::uint64_t> total) {
  if (!total || *total <= limit())
    return true;
  wrong_content_ =
      fmt::format(fmt::runtime(_("too large: {} bytes, expected at most {}")), *total, limit());
  return false;
}

void Download::check_space(std::optional<std::uint64_t> total) const {
  if (!total || *total <= partial_.size())
    return;
  const ByteSize needed(*total - partial_.size());
  const ByteSize free = setting_.files.free_space(setting_.directory);
  if (needed <= free)
    return;
  throw Error(ErrorKind::NoSpace, _("not enough free space to download"), artifact_.title)
      .cause(fmt::format(fmt::runtime(_("{} needed, {} free in {}")),
                         needed.to_string(),
                         free.to_string(),
                         setting_.directory.string()));
}

bool Download::body(std::string_view bytes) {
  setting_.activity.cancellation.throw_if_requested();
  if (partial_.size() + bytes.size() > limit()) {
    wrong_content_ = fmt::format(fmt::runtime(_("too large: more than {} bytes")), limit());
    return false;
  }
  partial_.append(bytes);
  report_progress(false);
  return true;
}

void Download::ended(CURLcode code) {
  const auto outcome = transfer_->ended(code);
  if (!outcome)
    return;
  transfer_.reset();
  if (partial_.size() >= furthest_ + kWorthwhile)
    tries_ = 1;
  furthest_ = std::max(furthest_, partial_.size());
  judge(*outcome);
}

void Download::judge(const Outcome& outcome) {
  const bool delivered =
      outcome.status == 0 || outcome.status == 200 || (outcome.status == 206 && asked_for_rest_);
  if (!wrong_content_.empty()) {
    reject(wrong_content_);
  } else if (rest_refused_) {
    start_again();
  } else if (!outcome.fault.empty()) {
    broke_off(outcome);
  } else if (!delivered) {
    Outcome refused = outcome;
    refused.fault = fmt::format(fmt::runtime(_("the server answered {}")), outcome.status);
    broke_off(refused);
  } else {
    complete();
  }
}

void Download::complete() {
  const auto expected = total();
  if (expected && partial_.size() < *expected) {
    Outcome truncated;  // without a Content-Length, a broken connection looks like the end
    truncated.curl_code = CURLE_PARTIAL_FILE;
    truncated.fault =
        fmt::format(fmt::runtime(_("ended after {} of {} bytes")), partial_.size(), *expected);
    broke_off(truncated);
    return;
  }
  std::string fault;
  const Digest digest = partial_.finish();
  if (artifact_.digest && digest != *artifact_.digest) {
    fault = fmt::format(fmt::runtime(_("wrong digest: expected {}, got {}")),
                        artifact_.digest->to_string(),
                        digest.to_string());
  } else if (!artifact_.digest && artifact_.size && partial_.size() != artifact_.size->bytes()) {
    fault = fmt::format(fmt::runtime(_("wrong size: expected {} bytes, got {}")),
                        artifact_.size->bytes(),
                        partial_.size());
  }
  if (fault.empty()) {
    const std::string from = url();
    succeed(digest, partial_.commit(digest), from);
  } else {
    reject(fault);
  }
}

void Download::reject(const std::string& fault) {
  if (partial_.patched() && !started_again_) {
    // Perhaps two versions were glued together; one unbroken download tells.
    started_again_ = true;
    start_again();
    return;
  }
  partial_.discard();
  give_up_url(fault, true);
}

void Download::start_again() {
  setting_.activity.debug("fetch", artifact_.id + ": starting over at " + shown_url(url()));
  partial_.discard();
  due_ = {};
}

void Download::broke_off(const Outcome& outcome) {
  const auto retry_after = outcome.retry_after;
  const bool patient = !retry_after || *retry_after <= kLongestWait;
  if (!worth_retrying(outcome.status, outcome.curl_code) || tries_ >= setting_.options.attempts ||
      !patient) {
    give_up_url(outcome.fault, false);
    return;
  }
  std::uniform_real_distribution<double> random(0, 1);
  const auto delay = retry_delay(tries_, retry_after, random(setting_.random));
  due_ = setting_.clock.steady_now() + delay;
  setting_.activity.debug("fetch",
                          artifact_.id + ": " + outcome.fault + "; trying again in " +
                              std::to_string(delay.count()) + " ms");
}

void Download::give_up_url(const std::string& fault, bool wrong_content) {
  const std::string from = shown_url(url());
  attempts_.push_back({from, fault});
  all_wrong_ = all_wrong_ && wrong_content;
  if (url_index_ + 1 == artifact_.urls.size())
    fail();
  const std::string what = wrong_content
                               ? _("{}: {} delivered wrong content ({}); trying the next source")
                               : _("{}: {} did not deliver ({}); trying the next source");
  setting_.activity.warn("fetch", fmt::format(fmt::runtime(what), artifact_.title, from, fault));
  ++url_index_;
  tries_ = 0;
  started_again_ = false;
  due_ = {};
}

void Download::fail() const {
  std::vector<std::string> faults;
  for (const Attempt& attempt : attempts_)
    faults.push_back(attempt.url + ": " + attempt.fault);
  const std::string cause = text::join(faults, "; ");
  if (all_wrong_) {
    throw Error(
        ErrorKind::Integrity, _("downloaded content is not what it should be"), artifact_.title)
        .cause(cause)
        .hint(_("the file may have been replaced at its source; nothing of it was used"));
  }
  throw Error(ErrorKind::Network, _("could not download"), artifact_.title)
      .cause(cause)
      .hint(
          _("check the network connection and the proxy settings, then try again; a download that "
            "has begun goes on where it stopped"));
}

void Download::succeed(const Digest& digest,
                       const std::filesystem::path& path,
                       const std::string& from) {
  const ByteSize size(partial_.size());
  report_progress(true);
  fetched_ = Fetched{path, digest, size, from};
  report_finished(true, "");
}

void Download::abandon(const std::string& note) {
  transfer_.reset();
  if (finished())
    return;
  try {
    partial_.keep();
  } catch (const Error&) {
    // Already failing; what cannot be kept is downloaded again.
  }
  report_finished(false, note);
}

void Download::report_progress(bool always) {
  if (!started_event_)
    return;
  const auto now = setting_.clock.steady_now();
  if (!always && now < next_progress_)
    return;
  next_progress_ = now + kProgressInterval;
  setting_.activity.reporter.report(event::Progress{event_id(), partial_.size(), total()});
}

void Download::report_finished(bool ok, const std::string& note) {
  if (started_event_)
    setting_.activity.reporter.report(event::Finished{event_id(), ok, note});
}

}  // namespace las::fetch
