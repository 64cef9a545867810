// For tests: runs the real program as a child process, and writes files for it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/testing/narrow_model.h"

namespace vgg19::testing {

struct Outcome {
    int code = -1;       ///< 128 + the signal's number if the child was killed
    std::string output;  ///< standard output
    std::string errors;  ///< standard error
};

using Arguments = std::vector<std::string>;

/// Runs `vgg19 ARGUMENTS...` and waits for it. `environment` holds "NAME=value" in addition to our own.
Outcome run_tool(const Arguments& arguments, const std::vector<std::string>& environment = {});
/// The same with a file as standard input.
Outcome run_tool_with_input(const Arguments& arguments, const std::filesystem::path& input);
/// The same with files limited to `kilobytes`, which simulates a full disk.
Outcome run_tool_on_small_disk(const Arguments& arguments, int kilobytes);
/// The same with a signal ("INT", "KILL") after this many seconds.
Outcome run_tool_with_signal(const Arguments& arguments, const std::string& signal, double seconds);

bool contains(const std::string& text, const std::string& part);
std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& content);
std::size_t files_in(const std::filesystem::path& folder);

/// A state dict with torchvision's names, as safetensors without a description.
void write_state_dict(const std::filesystem::path& path, std::size_t classes = 10);
/// Writes such a state dict and runs `vgg19 convert` on it.
void convert_state_dict(const std::filesystem::path& model, std::size_t classes = 10);
/// A 24-bit BMP of width × height with a pattern.
void write_image(const std::filesystem::path& path, std::size_t width, std::size_t height);
/// Records of a CIFAR-10 file, starting with number `first` of an infinite sequence: noise, with labels
/// cycling through 0 to 9. All are different.
std::string cifar_records(std::size_t count, std::size_t first = 0);
/// A safetensors file with one F32 tensor.
void write_tensor(const std::filesystem::path& path, const std::string& name,
                  const std::vector<std::size_t>& shape, const std::vector<float>& values);

}  // namespace vgg19::testing
