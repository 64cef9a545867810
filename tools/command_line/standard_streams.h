// The first three descriptors.
#pragma once

namespace vgg19 {

/// Opens those of standard input, output and error that are closed, so that no file or connection that is
/// opened later gets their numbers, and with them what is printed. Reading and writing them still fails, as
/// it would. For the start of main().
void occupy_standard_streams();

}  // namespace vgg19
