#include "tools/features/picture_list.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

using namespace vgg19;
using namespace vgg19::tools;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

namespace {

void touch(const std::filesystem::path& path) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << 'x';
}

}  // namespace

TEST_CASE("folders stand for the pictures below them, in order; named files for themselves") {
    const TemporaryFolder folder;
    const std::filesystem::path photos = folder.path() / "photos";
    touch(photos / "b.jpg");
    touch(photos / "a" / "z.PNG");
    touch(photos / "notes.txt");
    touch(photos / ".hidden.jpg");
    const PictureList list = list_pictures({"no-extension", photos.string(), "missing.jpg"});
    CHECK(list.pictures == std::vector<std::string>{"no-extension", (photos / "a" / "z.PNG").string(),
                                                    (photos / "b.jpg").string(), "missing.jpg"});
    REQUIRE(list.left_out.size() == 1);
    CHECK(list.left_out[0].kind == ".txt");
}

TEST_CASE("a folder without pictures says what it has") {
    const TemporaryFolder folder;
    CHECK(error_of(ErrorKind::bad_input, [&] { list_pictures({folder.path().string()}); }) ==
          Containing("in the folder or below it, found none"));
    touch(folder / "notes.txt");
    CHECK(error_of(ErrorKind::bad_input, [&] { list_pictures({folder.path().string()}); }) ==
          Containing("found only 1 .txt"));
}

TEST_CASE("a subfolder that cannot be read is left out, and the others are not") {
    const TemporaryFolder folder;
    touch(folder / "a.jpg");
    std::filesystem::create_directory(folder / "locked");
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    std::filesystem::permissions(folder / "locked", std::filesystem::perms::none);
    constexpr uid_t nobody = 65534;
    const bool is_root = geteuid() == 0;  // whom permissions do not stop
    if (is_root) REQUIRE(seteuid(nobody) == 0);
    const PictureList list = list_pictures({folder.path().string()});
    if (is_root) REQUIRE(seteuid(0) == 0);
    CHECK(list.pictures == std::vector<std::string>{(folder / "a.jpg").string()});
    REQUIRE(list.left_out.size() == 1);
    CHECK(list.left_out[0].kind == "folder " + (folder / "locked").string() + " (cannot be read)");
}

TEST_CASE("a list of paths has one in each line") {
    std::istringstream stream("a b.jpg\n\r\n\nc.png\r\nlast");
    CHECK(read_path_list(stream, "list") == std::vector<std::string>{"a b.jpg", "c.png", "last"});
    std::istringstream empty("\n\n");
    CHECK(error_of(ErrorKind::bad_input, [&] { read_path_list(empty, "list.txt"); }) ==
          Containing("list.txt: expected a path in each line"));
}

TEST_CASE("a list without lines is refused before it fills the memory") {
    std::istringstream stream("a.jpg\n" + std::string(65'535, 'x') + "\n" + std::string(100'000, 'x'));
    CHECK(error_of(ErrorKind::bad_input, [&] { read_path_list(stream, "list"); }) ==
          Containing("list: expected paths of at most 65536 bytes, one in each line, found a longer line"));
    std::istringstream zeros(std::string("a\0b\nc", 5));
    CHECK(read_path_list(zeros, "list") == std::vector<std::string>{std::string("a\0b", 3), "c"});
}
