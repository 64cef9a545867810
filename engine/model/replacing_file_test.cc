#include "engine/model/replacing_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/model/replaced_file.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"

namespace vgg19::model {

namespace {

using std::filesystem::path;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

std::string content_of(const path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void replace(const path& file, std::string_view text) {
    ReplacingFile replacing(file);
    replacing.write(std::as_bytes(std::span(text)));
    replacing.commit();
}

struct stat status_of(const path& file) {
    struct stat status {};
    CHECK(stat(file.c_str(), &status) == 0);
    return status;
}

std::vector<std::string> names_in(const path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        names.push_back(entry.path().filename());
    return names;
}

void make_old(const path& file) {
    std::filesystem::last_write_time(file,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::minutes(5));
}

/// Runs body() in a child process, which SIGKILL ends afterwards.
template <class Body>
void in_killed_child(const Body& body) {
    const pid_t child = fork();
    if (child == 0) {
        body();
        raise(SIGKILL);
    }
    REQUIRE(child > 0);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("a file that is being written has no name, and nothing is left of it when the process is killed") {
    const TemporaryFolder folder;
    replace(folder / "f", "old");
    std::vector<std::string> names;
    {
        ReplacingFile file(folder / "f");
        file.write(std::as_bytes(std::span("new")));
        names = names_in(folder.path());
    }
    if (names.size() > 1) return;  // this file system has no such files
    in_killed_child([&] {
        static ReplacingFile file(folder / "f");
        file.write(std::as_bytes(std::span("new")));
    });
    CHECK(names_in(folder.path()) == std::vector<std::string>{"f"});
    CHECK(content_of(folder / "f") == "old");
}

TEST_CASE("what killed writers have left is deleted, but nothing that is being written, and no other file") {
    const TemporaryFolder folder;
    const path abandoned = temporary_name(folder.path());
    const path locked = temporary_name(folder.path());
    const path young = temporary_name(folder.path());
    const std::vector<path> others = {folder / ".vgg19-notes", folder / "a.tmp", folder / "vgg19-1-2.tmp"};
    for (const path& file : others) std::ofstream(file) << "x";
    for (const path& file : {abandoned, locked, young}) std::ofstream(file) << "x";
    std::filesystem::create_directory(folder / ".vgg19-folder.tmp");
    for (const path& file : {abandoned, locked, others[0], others[1], others[2]}) make_old(file);
    const Descriptor writer(open(locked.c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(flock(writer.number(), LOCK_EX | LOCK_NB) == 0);
    replace(folder / "f", "text");
    CHECK(!std::filesystem::exists(abandoned));
    CHECK(std::filesystem::exists(locked));
    CHECK(std::filesystem::exists(young));
    for (const path& file : others) CHECK(std::filesystem::exists(file));
    CHECK(std::filesystem::exists(folder / ".vgg19-folder.tmp"));
}

TEST_CASE("an old file's mode, owner and extended attributes are kept") {
    const TemporaryFolder folder;
    const path file = folder / "f";
    const mode_t mask = umask(022);
    replace(file, "first");
    CHECK((status_of(file).st_mode & 07777U) == 0644);
    for (const mode_t mode : {0600U, 0666U, 0640U, 0755U}) {
        REQUIRE(chmod(file.c_str(), mode) == 0);
        replace(file, "again");
        CHECK((status_of(file).st_mode & 07777U) == mode);
    }
    const bool has_attributes = setxattr(file.c_str(), "user.origin", "a lab", 5, 0) == 0;
    const bool can_change_owner = chown(file.c_str(), 12, 34) == 0;
    replace(file, "new");
    umask(mask);
    CHECK(content_of(file) == "new");
    if (has_attributes) {
        char value[5] = {};
        CHECK(getxattr(file.c_str(), "user.origin", value, sizeof value) == 5);
        CHECK(std::string_view(value, 5) == "a lab");
    }
    if (!can_change_owner) return;
    CHECK(status_of(file).st_uid == 12);
    CHECK(status_of(file).st_gid == 34);
}

TEST_CASE("links are followed, also to a file that is not there yet; those in a circle are an error") {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder / "a");
    std::filesystem::create_symlink("a/second", folder / "first");
    std::filesystem::create_symlink("third", folder / "a/second");
    for (const char* text : {"made", "replaced"}) {
        replace(folder / "first", text);
        CHECK(std::filesystem::is_symlink(folder / "first"));
        CHECK(std::filesystem::is_symlink(folder / "a/second"));
        CHECK(content_of(folder / "a/third") == text);
    }
    std::filesystem::create_symlink("circle", folder / "circle");
    CHECK(error_of(ErrorKind::failed, [&] { replace(folder / "circle", "x"); }) ==
          Containing("circle: cannot be written: its links lead in a circle"));
}

TEST_CASE("a file that appears meanwhile is replaced, and a folder that does is an error") {
    const TemporaryFolder folder;
    {
        ReplacingFile file(folder / "f");
        std::ofstream(folder / "f") << "came first";
        file.write(std::as_bytes(std::span("new", 3)));
        file.commit();
    }
    CHECK(content_of(folder / "f") == "new");
    {
        ReplacingFile file(folder / "g");
        std::filesystem::create_directory(folder / "g");
        CHECK(error_of(ErrorKind::failed, [&] { file.commit(); }) ==
              Containing("g: cannot be given its name"));
    }
    CHECK(names_in(folder.path()).size() == 2);
}

}  // namespace vgg19::model
