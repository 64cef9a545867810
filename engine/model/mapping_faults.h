// What happens to a mapped file that another program cuts short: the system has no page for it, and sends
// SIGBUS to the thread that reads there.
#pragma once

#include <cstddef>
#include <span>

namespace vgg19::model {

/// For a program's main(): from now on, a thread that reads a page of a mapping which the system does not
/// have reads zeros, there and behind, and MappedFile::require_unchanged() throws. Other SIGBUS signals go to
/// whoever handled them before. A library must not do that unasked: signals belong to the program.
/// Thread-safe.
void catch_faults_of_mappings();

/// The mappings for which that holds. Pages of `mapping` are the file's, from its beginning on. Where there
/// are too many, nothing happens.
void watch_mapping(std::span<const std::byte> mapping);
void forget_mapping(std::span<const std::byte> mapping);
/// Whether zeros were read in it.
bool has_faults(std::span<const std::byte> mapping);

}  // namespace vgg19::model
