// The C interface's structs of options, in the version of any caller, as the C++ ones.
#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>

#include "vgg19/losses.h"
#include "vgg19/session.h"
#include "vgg19/vgg19.h"

namespace vgg19::c_interface {

/// Null means the defaults. A session uses `workspace` as long as it lives; null if the options have none.
/// Throw Error (usage).
struct OptionsOfSession {
    SessionOptions options;
    std::unique_ptr<std::pmr::memory_resource> workspace;
};
OptionsOfSession options_from(const vgg19_session_options* options);
RunOptions options_from(const vgg19_run_options* options);
LossOptions options_from(const vgg19_loss_options* options);

}  // namespace vgg19::c_interface
