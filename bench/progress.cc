#include "bench/progress.h"

#include <unistd.h>

#include <iostream>

#include "engine/model/foreign_text.h"

namespace vgg19::bench {

void say(const std::string& text) {
    std::cerr << model::printable_lines(text) << std::endl;
}

model::Progress percent_shown(const std::string& what) {
    if (isatty(STDERR_FILENO) == 0) return {};
    return [what, shown = std::uint64_t{101}](std::uint64_t done, std::uint64_t total) mutable {
        const std::uint64_t percent = total == 0 ? 100 : done * 100 / total;
        if (percent == shown) return;
        shown = percent;
        if (done == total) {
            std::cerr << "\r\033[K" << std::flush;
        } else {
            std::cerr << '\r' << what << ' ' << percent << " %" << std::flush;
        }
    };
}

}  // namespace vgg19::bench
