// Where Linux says what a container may use.
#pragma once

#include <string>
#include <vector>

namespace vgg19::kernels {

/// The two layouts of control groups: a hierarchy for each controller, or one for all.
enum class ControlGroups : unsigned char { version1, version2 };

/// This process's folders in the hierarchy that has `controller` ("cpu", "memory"), its own first, then those
/// above it up to the root: a limit holds for all folders below it. The folders may be missing.
std::vector<std::string> control_group_folders(ControlGroups version, const std::string& controller);

}  // namespace vgg19::kernels
