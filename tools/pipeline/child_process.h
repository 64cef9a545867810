// Runs this program as a child process for one step.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vgg19::tools {

/// Runs this program with these arguments and waits for it. The child's standard output goes to our standard
/// error, or to the file `output`, which exists only after the child has succeeded. The child gets SIGTERM if
/// `interrupted` returns true, and if this process dies. Returns its exit code, or 128 + the signal that
/// ended it. Throws Error (failed) if it cannot be started or
/// `output` cannot be written.
int run_child(const std::vector<std::string>& words, const std::filesystem::path& output,
              bool (*interrupted)());

}  // namespace vgg19::tools
