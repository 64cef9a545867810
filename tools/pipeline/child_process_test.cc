#include "tools/pipeline/child_process.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"
#include "tools/pipeline/folder_lock.h"

using namespace vgg19;
using namespace vgg19::tools;

namespace {

const std::vector<std::string> sleeps = {"--no-skip", "--test-case=what a child of these tests does"};

bool never() {
    return false;
}
bool at_once() {
    return true;
}

}  // namespace

TEST_CASE("what a child of these tests does" * doctest::skip()) {
    std::this_thread::sleep_for(std::chrono::seconds(60));
}

TEST_CASE("a child's output is there when it has succeeded, also where SIGCHLD is ignored") {
    for (auto* const handler : {SIG_DFL, SIG_IGN}) {
        const testing::TemporaryFolder folder;
        auto* const before = std::signal(SIGCHLD, handler);
        // The child is this test program.
        CHECK(run_child({"--version"}, folder / "out", never) == 0);
        std::string text;
        std::getline(std::ifstream(folder / "out"), text);
        CHECK(text.find("version") != std::string::npos);
        std::signal(SIGCHLD, handler);
        CHECK(run_child(sleeps, folder / "killed", at_once) == 128 + SIGTERM);
        CHECK(!std::filesystem::exists(folder / "killed"));
        std::signal(SIGCHLD, before);
    }
}

TEST_CASE("a child's output replaces a file, and links to others are not followed by another name") {
    const testing::TemporaryFolder folder;
    std::ofstream(folder / "elsewhere") << "kept";
    std::filesystem::create_symlink("elsewhere", folder / "out.part");
    std::ofstream(folder / "out") << "old";
    CHECK(run_child(sleeps, folder / "out", at_once) != 0);
    std::string text;
    std::getline(std::ifstream(folder / "out"), text);
    CHECK(text == "old");
    CHECK(run_child({"--version"}, folder / "out", never) == 0);
    std::getline(std::ifstream(folder / "out"), text);
    CHECK(text.find("version") != std::string::npos);
    std::getline(std::ifstream(folder / "elsewhere"), text);
    CHECK(text == "kept");
}

TEST_CASE("a folder is locked as long as the lock exists") {
    const testing::TemporaryFolder folder;
    {
        const FolderLock lock(folder.path());
        CHECK(testing::error_of(ErrorKind::usage, [&] { FolderLock again(folder.path()); }) ==
              testing::Containing("another vgg19 command works in this folder"));
    }
    CHECK_NOTHROW(FolderLock(folder.path()));
}
