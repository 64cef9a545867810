// What a client may cost the server, in bytes, connections and time.
#pragma once

#include <chrono>
#include <cstddef>

namespace vgg19::http {

struct Limits {
    std::size_t request_line_bytes = 2048;
    std::size_t head_bytes = 8192;           ///< the request line and all fields
    std::size_t chunk_line_bytes = 256;      ///< a chunk's size and extensions
    std::size_t trailer_bytes = 4096;        ///< all fields after the last chunk
    std::size_t send_buffer_bytes = 131072;  ///< of an answer, in the system's memory (which may double it)
    std::size_t read_ahead_bytes = 16384;    ///< pipelined requests, kept while one is being answered

    /// More connections are made room for by closing those that wait for a request or are slow to send one,
    /// the longest waiting first; if there are none, they are refused with 503. Lower where the process may
    /// not open as many descriptors.
    std::size_t connections = 1024;
    std::size_t connections_a_client = 512;  ///< a client is an IPv4 address or an IPv6 network of 64 bits
    /// Of all connections, those that may send bodies or read streams at the same time, so that some are left
    /// for short requests; further ones are refused with 503.
    std::size_t busy_connections = 768;
    std::size_t requests_a_connection = 1000;

    std::chrono::milliseconds head{10'000};       ///< from a request's first byte to the end of its head
    std::chrono::milliseconds request{20'000};    ///< from a request's first byte to its last
    std::chrono::milliseconds keep_alive{5'000};  ///< for the next request's first byte
    std::chrono::milliseconds write{20'000};      ///< for each piece of an answer that the client must take
    std::size_t piece_bytes = 262'144;            ///< the largest piece of an answer
    std::chrono::milliseconds linger{1'000};      ///< for the client to close, after the last answer
};

}  // namespace vgg19::http
