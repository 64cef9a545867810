// Finds the folders in which Linux describes a container's resource limits.
#pragma once

#include <string>
#include <vector>

namespace vgg19::kernels {

/// The two versions of control groups: one hierarchy per controller, or one for all.
enum class ControlGroups : unsigned char { version1, version2 };

/// This process's folders in the hierarchy of `controller` ("cpu", "memory"): its own first, then its
/// ancestors up to the root, because a limit applies to all folders below it. The folders may be missing.
std::vector<std::string> control_group_folders(ControlGroups version, const std::string& controller);

}  // namespace vgg19::kernels
