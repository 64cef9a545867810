// For tests: the real program as a child process, and files for it to work on.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/testing/narrow_model.h"

namespace vgg19::testing {

struct Outcome {
    int code = -1;       ///< 128 + the signal's number for a child that was killed
    std::string output;  ///< standard output
    std::string errors;  ///< standard error
};

using Arguments = std::vector<std::string>;

/// Runs `vgg19 ARGUMENTS...` and waits for it. `environment` holds "NAME=value" on top of our own.
Outcome run_tool(const Arguments& arguments, const std::vector<std::string>& environment = {});
/// The same with a file piped into its standard input.
Outcome run_tool_with_input(const Arguments& arguments, const std::filesystem::path& input);
/// The same with no file allowed to grow beyond `kilobytes`: a disk that is full.
Outcome run_tool_on_small_disk(const Arguments& arguments, int kilobytes);
/// The same with a signal ("INT", "KILL") after so many seconds.
Outcome run_tool_with_signal(const Arguments& arguments, const std::string& signal, double seconds);

bool contains(const std::string& text, const std::string& part);
std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& content);
std::size_t files_in(const std::filesystem::path& folder);

/// A state dict with torchvision's names, as safetensors without any description.
void write_state_dict(const std::filesystem::path& path, std::size_t classes = 10);
/// The same, through `vgg19 convert`.
void convert_state_dict(const std::filesystem::path& model, std::size_t classes = 10);
/// A 24-bit BMP of width × height with a pattern in it.
void write_image(const std::filesystem::path& path, std::size_t width, std::size_t height);
/// Records of a CIFAR-10 file from the `first` of an endless row on: noise, with labels that go round from 0
/// to 9. No two are alike.
std::string cifar_records(std::size_t count, std::size_t first = 0);
/// A safetensors file with one F32 tensor.
void write_tensor(const std::filesystem::path& path, const std::string& name,
                  const std::vector<std::size_t>& shape, const std::vector<float>& values);

}  // namespace vgg19::testing
