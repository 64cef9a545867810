// Options that several programs and subcommands share; each is declared and read only here.
#pragma once

#include <cstddef>

#include "engine/model/network.h"
#include "tools/command_line/command_line.h"
#include "vgg19/image.h"
#include "vgg19/session.h"

namespace vgg19 {

/// --model, for subcommands that run a model (tools/model_option.h).
void add_model_option(CommandLine& line);
/// --output (required), a model file: line.required("output").
void add_output_option(CommandLine& line);
/// --pack, for subcommands that can write a packed model file.
void add_pack_option(CommandLine& line);

/// --size, for subcommands that run a model or count its work.
void add_size_option(CommandLine& line);
/// The value of --size; empty, which means the model's own, if it is absent. Where sides below
/// model::smallest_input may do, what runs the model checks whether they do.
MapSize size_option(const CommandLine& line, std::size_t smallest_side = model::smallest_input);

/// --threads, for subcommands that compute.
void add_threads_option(CommandLine& line);
/// --isa, for programs whose --threads is their own.
void add_isa_option(CommandLine& line);
/// --threads and --isa, for subcommands that use the CPU like a session.
void add_cpu_options(CommandLine& line);
/// The value of --threads; 0, which means all CPUs, if it is absent.
int threads_option(const CommandLine& line);
inline constexpr std::size_t most_threads = 1024;

/// --conv, for subcommands that compute convolutions.
void add_convolution_option(CommandLine& line);

/// --plan, for subcommands that run a model.
void add_plan_option(CommandLine& line);
/// SessionOptions::plan_file: the value of --plan; if it is absent, this CPU's file in the user's cache
/// folder, if there is one; "" for "none".
std::string plan_file_option(const CommandLine& line);

/// --size, --threads, --isa, --conv and --plan, for subcommands that run a model.
void add_session_options(CommandLine& line);
/// The options as given. The Session's constructor checks whether they are possible.
SessionOptions session_options(const CommandLine& line, std::size_t smallest_side = model::smallest_input);

/// --no-exif and --max-megapixels, for subcommands that read pictures.
void add_image_options(CommandLine& line);
ImageOptions image_options(const CommandLine& line);
/// Where pictures are decoded at reduced size, they keep eight times the sides of a network's input.
void keep_sides_for(MapSize input_size, ImageOptions& options);

}  // namespace vgg19
