// This program as a child that does one step.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vgg19::tools {

/// Runs this very program with these words after its name and waits for it. The child's standard output goes
/// to our standard error, or to the file `output`, which is there once the child has ended well. The child
/// gets SIGTERM when `interrupted` says so, and when this process dies. Gives its exit code, or 128 + the
/// signal that ended it. Throws Error (failed) when it cannot be started.
int run_child(const std::vector<std::string>& words, const std::filesystem::path& output,
              bool (*interrupted)());

}  // namespace vgg19::tools
