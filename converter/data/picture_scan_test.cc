#include "converter/data/picture_scan.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "converter/data/testing/pictures.h"
#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using testing::grey_records;
using testing::write_file;
using testing::write_grey;
using vgg19::testing::Containing;
using vgg19::testing::TemporaryFolder;

PictureScan scan_of(const std::filesystem::path& path, int threads = 2) {
    const auto data = open_data_set(path);
    return scan_pictures(*data, spread_items(data->size(), data->size()), threads);
}

/// A uniformly grey 24-bit BMP, 32 × 32.
std::string grey_bmp(int grey) {
    std::string bytes = "BM";
    const auto put = [&bytes](unsigned value, int count) {
        for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8U * static_cast<unsigned>(i)));
    };
    put(54 + 3072, 4), put(0, 4), put(54, 4), put(40, 4), put(32, 4), put(32, 4), put(1, 2), put(24, 2);
    for (int i = 0; i < 6; ++i) put(0, 4);
    return bytes + std::string(3072, static_cast<char>(grey));
}

}  // namespace

TEST_CASE("the same picture is recognised under another name, label, link and format") {
    const TemporaryFolder training;
    const TemporaryFolder held_out;
    for (int grey = 10; grey < 16; ++grey) {
        write_grey(training / "ant" / (std::to_string(grey) + ".ppm"), grey);
    }
    write_grey(held_out / "bee/alone.ppm", 99);
    CHECK_FALSE(find_shared_pictures(scan_of(training.path()), scan_of(held_out.path())));

    std::filesystem::copy_file(training / "ant/12.ppm", held_out / "bee/copy.ppm");
    std::filesystem::create_hard_link(training / "ant/13.ppm", held_out / "bee/hard.ppm");
    std::filesystem::create_symlink(training / "ant/14.ppm", held_out / "bee/link.ppm");
    write_file(held_out / "cat/other.bmp", grey_bmp(11));
    write_grey(held_out / "cat/larger.ppm", 15, 40);
    const auto shared = find_shared_pictures(scan_of(training.path()), scan_of(held_out.path()));
    REQUIRE(shared);
    CHECK(shared->count == 4);
    CHECK(open_data_set(held_out.path())->name(shared->held_out_item) ==
          (held_out / "bee/copy.ppm").string());
    CHECK(open_data_set(training.path())->name(shared->training_item) == (training / "ant/12.ppm").string());
}

TEST_CASE("a picture in two classes is reported, one that occurs twice in a class is not") {
    const TemporaryFolder folder;
    write_grey(folder / "ant/1.ppm", 1);
    write_grey(folder / "ant/2.ppm", 2);
    write_grey(folder / "ant/again.ppm", 2);
    write_grey(folder / "bee/3.ppm", 3);
    CHECK_FALSE(find_contradicting_labels(*open_data_set(folder.path()), scan_of(folder.path())));

    write_grey(folder / "bee/2.ppm", 2);
    write_grey(folder / "cat/3.ppm", 3);
    const auto data = open_data_set(folder.path());
    const auto found = find_contradicting_labels(*data, scan_of(folder.path()));
    REQUIRE(found);
    CHECK(found->count == 5);
    CHECK(data->name(found->first_item) == (folder / "ant/2.ppm").string());
    CHECK(data->name(found->second_item) == (folder / "bee/2.ppm").string());
}

TEST_CASE("CIFAR-10's records are compared by their pixels, with each other and with images") {
    const TemporaryFolder folder;
    write_file(folder / "one.bin", grey_records(1, "abc"));
    write_file(folder / "two.bin", grey_records(5, "xcy"));
    write_file(folder / "three.bin", grey_records(1, "ABC"));
    write_grey(folder / "photos/b.ppm", 'b');
    const PictureScan one = scan_of(folder / "one.bin");
    const auto shared = find_shared_pictures(one, scan_of(folder / "two.bin"));
    REQUIRE(shared);
    CHECK(shared->count == 1);
    CHECK(shared->training_item == 2);
    CHECK(shared->held_out_item == 1);
    CHECK_FALSE(find_shared_pictures(one, scan_of(folder / "three.bin")));
    CHECK(find_shared_pictures(one, scan_of(folder / "photos"))->training_item == 1);
    CHECK(find_shared_pictures(one, one)->count == 3);
}

TEST_CASE("pictures with equal bytes but other dimensions are different") {
    const TemporaryFolder folder;
    write_file(folder / "a/wide.ppm", "P6\n2 1\n255\nabcdef");
    write_file(folder / "b/high.ppm", "P6\n1 2\n255\nabcdef");
    CHECK_FALSE(find_shared_pictures(scan_of(folder / "a"), scan_of(folder / "b")));
}

TEST_CASE("broken pictures are reported and duplicates counted, with any number of threads") {
    const TemporaryFolder folder;
    for (int i = 0; i < 9; ++i) write_grey(folder / "ant" / (std::to_string(i) + ".ppm"), i % 5);
    write_file(folder / "ant/4.ppm", "P6\n32 32\n255\nshort");
    write_file(folder / "ant/empty.jpg", "");
    std::filesystem::create_symlink(folder / "nowhere.ppm", folder / "ant/x.ppm");
    for (const int threads : {1, 3, 0}) {
        const PictureScan scan = scan_of(folder.path(), threads);
        CHECK(scan.items == std::vector<std::size_t>{0, 1, 2, 3, 5, 6, 7, 8});
        CHECK(scan.digests.size() == 8);
        REQUIRE(scan.broken.size() == 3);
        CHECK(scan.broken[0].item == 4);
        CHECK(scan.broken[0].problem == Containing("4.ppm"));
        CHECK(scan.duplicates() == 4);  // 5 to 8 repeat 0 to 3
        CHECK(broken_text(scan.broken, 11) == Containing("3 of 11 pictures cannot be read: "));
        CHECK(broken_text(scan.broken, 11) == Containing("empty.jpg"));
    }
}

TEST_CASE("up to a quarter of the pictures may be broken") {
    CHECK_FALSE(too_many_broken(1, 4));
    CHECK_FALSE(too_many_broken(25, 100));
    CHECK(too_many_broken(26, 100));
    CHECK(too_many_broken(1, 1));
    CHECK(too_many_broken(2, 3));
    CHECK_FALSE(too_many_broken(0, 3));
}

}  // namespace vgg19::converter
