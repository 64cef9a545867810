// Decodes a picture, as every command does, and writes its pixels: decode_picture FILE OUT.ppm. Exit codes: 3
// for a bad picture, 4 if memory is short.
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <new>

#include "vgg19/error.h"
#include "vgg19/image.h"

int main(int count, char** words) {
    if (count != 3) {
        std::fputs("usage: decode_picture FILE OUT.ppm\n", stderr);
        return 2;
    }
    try {
        const vgg19::Image image = vgg19::load_image(words[1]);
        errno = 0;
        std::ofstream out(words[2], std::ios::binary);
        out << "P6 " << image.width << ' ' << image.height << " 255\n";
        out.write(reinterpret_cast<const char*>(image.rgb.data()),
                  static_cast<std::streamsize>(image.rgb.size()));
        if (out.flush()) return 0;
        return errno == ENOMEM ? 4 : 1;
    } catch (const std::bad_alloc&) {
        std::fputs("memory is short\n", stderr);
        return 4;
    } catch (const vgg19::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return error.kind() == vgg19::ErrorKind::bad_input ? 3 : 4;
    }
}
