// The command line of vgg19 finetune.
#pragma once

#include <cstddef>
#include <filesystem>

#include "converter/finetune/finetune.h"
#include "tools/command.h"

namespace vgg19::tools {

inline constexpr std::size_t most_images = 1'000'000'000;

CommandLine finetune_command_line();

/// Opens the teacher, if there is one. Throws Error (usage) for options out of range or without their
/// condition.
converter::FinetuneOptions finetune_options(const CommandLine& line);

/// Throws Error (usage) for paths that coincide, also with the model at `input`.
converter::FinetuneFiles finetune_files(const CommandLine& line, const std::filesystem::path& input);

}  // namespace vgg19::tools
