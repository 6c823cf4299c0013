// SPDX-License-Identifier: Apache-2.0
// The launcher that llama.cpp's manifest installs, against a stand-in for the wheel.
#include "support/catch.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

// A folder of this test with a file that starts like a model.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "las-launcher-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    write("model.gguf", "GGUF and so on");
  }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  ~Folder() { fs::remove_all(path_); }

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name) << content;
  }

 private:
  fs::path path_;
};

struct Outcome {
  int status = -1;
  std::string output;
};

Outcome launch(const std::string& arguments, const std::string& environment = {}) {
  const std::string command =
      "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=" LAS_TEST_DATA "/catalog/stand_in " + environment +
      " python3 " LAS_SOURCE_DIR "/share/manifests/llama.cpp/files/llama-server.py " + arguments +
      " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Outcome outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

// A port of this machine that is taken while the object lives, or was just free.
class TakenPort {
 public:
  TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_, general(), sizeof address_) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    socklen_t size = sizeof address_;
    REQUIRE(::getsockname(socket_, general(), &size) == 0);
  }

  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;

  ~TakenPort() { release(); }

  void release() {
    if (socket_ >= 0)
      ::close(socket_);
    socket_ = -1;
  }

  std::string text() const { return std::to_string(ntohs(address_.sin_port)); }

 private:
  sockaddr* general() { return reinterpret_cast<sockaddr*>(&address_); }

  int socket_;
  sockaddr_in address_{};
};

std::string free_port() {
  TakenPort port;
  port.release();
  return port.text();
}

}  // namespace

TEST_CASE("the launcher hands every flag to the server and ends with 0 on SIGTERM",
          "[catalog][launcher]") {
  const Folder folder;
  folder.write("keys", "one\n\ntwo\n");
  const std::string port = free_port();
  const Outcome outcome =
      launch("--host 127.0.0.1 --port " + port + " --model " + (folder / "model.gguf") +
             " --alias tiny --ctx-size 512 --parallel 2 --threads 3 --n-gpu-layers 4 --metrics "
             "--api-key-file " +
             (folder / "keys"));
  CHECK(outcome.output ==
        "{\"api_keys\": [\"one\", \"two\"], \"cpuparams\": {\"n_threads\": 3}, "
        "\"endpoint_metrics\": true, \"hostnames\": [\"127.0.0.1\"], \"model\": {\"path\": \"" +
            (folder / "model.gguf") +
            "\"}, \"model_alias\": [\"tiny\"], \"n_ctx\": 512, \"n_gpu_layers\": 4, "
            "\"n_parallel\": 2, \"port\": " +
            port + ", \"ui\": false}\nllama-server: listening on http://stand-in\n");
  CHECK(outcome.status == 0);
}

TEST_CASE("the launcher refuses what it does not know", "[catalog][launcher]") {
  const Folder folder;
  const Outcome outcome = launch("--model " + (folder / "model.gguf") + " --flash-attn on");
  CHECK(outcome.status == 2);
  CHECK(outcome.output.find("unrecognized arguments: --flash-attn on") != std::string::npos);
  CHECK(launch("--host 127.0.0.1").status == 2);
  CHECK(launch("--model " + (folder / "model.gguf") + " --port 0").status == 2);
  CHECK(launch("--model " + (folder / "model.gguf") + " --met").status == 2);
  CHECK(launch("--version").output == "version: 1.2.3 (xllamacpp)\n");
  CHECK(launch("--help").status == 0);
}

TEST_CASE("the launcher says in one line why it cannot serve", "[catalog][launcher]") {
  const Folder folder;
  folder.write("text.gguf", "no model");
  folder.write("keys", "\n");
  const std::string model = "--model " + (folder / "model.gguf");
  const auto fails = [](const Outcome& outcome, const std::string& line) {
    CHECK(outcome.output == line + "\n");
    CHECK(outcome.status == 1);
  };
  fails(launch("--model " + (folder / "none.gguf")),
        "llama-server: cannot read the model: " + (folder / "none.gguf") +
            ": No such file or directory");
  fails(launch("--model " + (folder / "text.gguf")),
        "llama-server: not a GGUF model: " + (folder / "text.gguf"));
  fails(launch(model + " --port " + free_port() + " --api-key-file " + (folder / "keys")),
        "llama-server: no API key in " + (folder / "keys"));
  const TakenPort port;
  fails(
      launch(model + " --port " + port.text()),
      "llama-server: cannot listen on 127.0.0.1 port " + port.text() + ": Address already in use");
  const Outcome failed = launch(model + " --port " + free_port(), "STAND_IN_FAILS=1");
  CHECK(failed.status == 1);
  CHECK(failed.output.ends_with("\nllama-server: the server did not start: no memory\n"));
}
