// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stand_ins.hpp"
#include "support/temp_directory.hpp"

#include "las/source/source.hpp"

#include <memory>

namespace las::test {

/// What every kind of source works with: real files, scripted programs, and a fetcher that serves
/// from memory.
struct SourceBench {
  TempDirectory folder;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  ScriptedProcesses processes;
  StandInFetcher fetcher;
  platform::Environment environment;
  platform::Layout layout;
  LineReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};
  catalog::Source source;
  source::StageRequest request;

  SourceBench() { request.source = &source; }

  source::Surroundings surroundings() { return {*files, processes, fetcher, environment, layout}; }
};

}  // namespace las::test
