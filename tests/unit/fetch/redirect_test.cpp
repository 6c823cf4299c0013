// SPDX-License-Identifier: Apache-2.0
#include "redirect.hpp"

#include "support/catch.hpp"

using las::fetch::Origin;
using las::fetch::origin_of;
using las::fetch::redirect_refusal;
using las::fetch::redirected;
using las::fetch::Request;
using las::fetch::shown_url;

namespace {

Request request_with_secrets() {
  Request request;
  request.method = "POST";
  request.url = "https://a.example/x";
  request.body = "content";
  request.headers = {{"Accept", "text/plain"},
                     {"Authorization", "Bearer s3cret"},
                     {"Content-Type", "text/plain"},
                     {"X-Token", "s3cret"}};
  return request;
}

}  // namespace

TEST_CASE("An origin is scheme, host and port", "[fetch]") {
  CHECK(origin_of("HTTPS://A.example/x") == Origin{"https", "a.example", "443"});
  CHECK(origin_of("http://u:p@a.example:81/x") == Origin{"http", "a.example", "81"});
  CHECK_FALSE(origin_of("no url at all"));
}

TEST_CASE("A redirect from https to http is refused", "[fetch]") {
  CHECK(redirect_refusal("https://a.example/x", "http://a.example/x") ==
        "redirect from https to http://a.example/x refused");
  CHECK_FALSE(redirect_refusal("https://a.example/x", "https://b.example/x"));
  CHECK_FALSE(redirect_refusal("http://a.example/x", "https://a.example/x"));
  CHECK_FALSE(redirect_refusal("http://a.example/x", "http://b.example/x"));
}

TEST_CASE("A redirect to anything but http and https is refused", "[fetch]") {
  CHECK(redirect_refusal("http://a.example/x", "file:///etc/passwd") ==
        "redirect to file:///etc/passwd refused");
  CHECK(redirect_refusal("https://a.example/x", "ftp://u:p@a.example/x") ==
        "redirect to ftp://a.example/x refused");
}

TEST_CASE("Another origin is sent no header that may carry a credential", "[fetch]") {
  const std::map<std::string, std::string> safe{{"Accept", "text/plain"},
                                                {"Content-Type", "text/plain"}};
  for (const char* target : {"https://b.example/x", "https://a.example:444/x"}) {
    INFO(target);
    const Request request = redirected(request_with_secrets(), 307, target);
    CHECK(request.headers == safe);
    CHECK(request.url == target);
  }
  const Request same = redirected(request_with_secrets(), 307, "https://a.example/y");
  CHECK(same.headers == request_with_secrets().headers);
}

TEST_CASE("Only 307 and 308 send the body again", "[fetch]") {
  for (const int status : {301, 302, 303}) {
    INFO(status);
    const Request request = redirected(request_with_secrets(), status, "https://a.example/y");
    CHECK(request.method == "GET");
    CHECK(request.body.empty());
    CHECK_FALSE(request.headers.contains("Content-Type"));
  }
  for (const int status : {307, 308}) {
    INFO(status);
    const Request request = redirected(request_with_secrets(), status, "https://a.example/y");
    CHECK(request.method == "POST");
    CHECK(request.body == "content");
  }
}

TEST_CASE("A redirected HEAD stays a HEAD", "[fetch]") {
  Request request = request_with_secrets();
  request.method = "HEAD";
  CHECK(redirected(request, 303, "https://a.example/y").method == "HEAD");
}

TEST_CASE("A shown URL has no user name and password", "[fetch]") {
  CHECK(shown_url("https://u:p@a.example/x?y#z") == "https://a.example/x?y#z");
  CHECK(shown_url("https://u:p@a.example") == "https://a.example");
  CHECK(shown_url("https://a.example/@x") == "https://a.example/@x");
  CHECK(shown_url("https://a.example?m=u@b") == "https://a.example?m=u@b");
  CHECK(shown_url("u@b") == "u@b");
}
