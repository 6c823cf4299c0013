// SPDX-License-Identifier: Apache-2.0
#include "model_format.hpp"

#include "gguf_writer.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"

using namespace las;
using namespace las::model;
using namespace las::test;

TEST_CASE("a file that is no model is told what it looks like", "[model]") {
  const std::string convert = "las serves GGUF files; convert it first, or get the model's GGUF";

  struct Row {
    std::string bytes, cause, hint;
  };

  const TempDirectory temp;
  for (const Row& row : {
           Row{"", "it is empty", "download it again"},
           Row{"\n <!DOCTYPE HTML><title>Login</title>",
               "it looks like an HTML page",
               "the download got a web page instead of the file"},
           Row{"<html><body>",
               "it looks like an HTML page",
               "the download got a web page instead of the file"},
           Row{"version https://git-lfs.example/spec/v1\noid sha256:aa\n",
               "it looks like a Git LFS pointer",
               "fetch the file that it stands for"},
           Row{bytes_of(std::uint64_t{40}) + "{\"a\":{}}",
               "it looks like a safetensors file",
               convert},
           Row{"PK\x03\x04rest", "it looks like a pickled checkpoint or a ZIP archive", convert},
           Row{"\x1f\x8b\x08", "it looks like a compressed file", "decompress it first"},
           Row{"\x28\xb5\x2f\xfd", "it looks like a compressed file", "decompress it first"},
           Row{"tjgg\x01", "it looks like a GGML file, which came before GGUF", convert},
           Row{"\x7f"
               "ELF\x02",
               "it looks like a program",
               convert},
           Row{"{\"error\":\"gated\"}",
               "it looks like JSON",
               "the download got a message instead of the file"},
           Row{"hello\n", "it looks like plain text", convert},
           Row{bytes_of(std::uint64_t{1} << 40) + "{", "its format is not known", convert},
           Row{"\x01\x02\x03", "its format is not known", convert},
       }) {
    const auto path = write_file(temp / "file", row.bytes);
    try {
      read_model_file(path);
      FAIL("read " + row.cause);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::InvalidData);
      CHECK(std::string(error.what()) ==
            "not a model file that las knows: " + path.string() + ": " + row.cause);
      CHECK(error.hint() == row.hint);
    }
  }
}

TEST_CASE("a part of a model is refused with what it is", "[model]") {
  const TempDirectory temp;
  const auto fault = [&](const GgufWriter& writer) -> std::string {
    try {
      read_model_file(write_file(temp / "file", writer.bytes()));
      return "none";
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::InvalidData);
      CHECK(error.message() == "not a model that can be served by itself");
      return error.cause();
    }
  };
  CHECK(fault(small_model()) == "none");
  CHECK(fault(small_model().text("general.type", "model")) == "none");
  CHECK(fault(small_model().text("general.type", "adapter")) == "its general.type is 'adapter'");
  CHECK(fault(small_model().number("split.no", 1).number("split.count", 3)) ==
        "it is part 2 of 3 of a split model");
  CHECK(fault(GgufWriter().text("general.architecture", "llama")) ==
        "it holds a vocabulary but no weights");
  CHECK(fault(GgufWriter().tensor("t", {4}, 0, 16)) == "it does not name its architecture");
}

TEST_CASE("a broken GGUF file is told so, not that its format is unknown", "[model]") {
  const TempDirectory temp;
  const auto path = write_file(temp / "file", "GGUF");
  CHECK_THROWS_WITH(read_model_file(path),
                    "not a sound GGUF file: " + path.string() +
                        ": truncated: version needs 4 bytes, 0 are left at byte 4");
}
