// For the replacement of oneDNN in a build without it.
#pragma once

#include <stdexcept>

namespace vgg19::kernels::onednn {

[[noreturn]] inline void refuse() {
    throw std::runtime_error("this build is without oneDNN");
}

}  // namespace vgg19::kernels::onednn
