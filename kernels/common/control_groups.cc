#include "kernels/common/control_groups.h"

#include <fstream>
#include <sstream>

namespace vgg19::kernels {

namespace {

/// Whether "cpu" occurs in a list such as "cpu,cpuacct".
bool names(const std::string& controllers, const std::string& controller) {
    std::istringstream list(controllers);
    for (std::string name; std::getline(list, name, ',');) {
        if (name == controller) return true;
    }
    return false;
}

/// This process's folder relative to a hierarchy's mount point: the text after the last colon of its line in
/// /proc/self/cgroup ("0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1).
std::string own_folder(ControlGroups version, const std::string& controller) {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool found =
            version == ControlGroups::version2 ? controllers.empty() : names(controllers, controller);
        if (found) return line.substr(second + 1);
    }
    return "/";
}

}  // namespace

std::vector<std::string> control_group_folders(ControlGroups version, const std::string& controller) {
    const std::string mount_point =
        version == ControlGroups::version2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + controller;
    std::vector<std::string> folders;
    std::string path = own_folder(version, controller);
    while (true) {
        folders.push_back(mount_point + path);
        const std::size_t slash = path.rfind('/');
        if (path.empty() || slash == std::string::npos) return folders;
        path.resize(slash);
    }
}

}  // namespace vgg19::kernels
