// The vector layer: only here do kernels use instructions of an ISA. A kernel.cc includes this header and is
// compiled once per ISA, with VGG19_ISA as the ISA's name and VGG19_SIMD_HEADER as its header in this folder.
// Everything that kernel.cc and these headers define is in namespace vgg19::kernels::VGG19_ISA, so that ISAs
// do not share symbols. Of other code it may call only what is always inlined: of any other function the
// linker keeps one copy, which may have been compiled for an ISA that the CPU lacks (tests/symbols checks
// this).
//
// Each header defines `Vector` with these static functions; kernels/simd/test.cc defines them by example.
//
//   width                       floats, and 32-bit integers, in a register
//   registers                   how many there are, for the sizes of register tiles
//   prefetch_for_write(line)    fetches a cache line that will be written; any address will do
//   Register                    `width` floats
//   zero, broadcast(x), load(from), store(to, a)           at any address
//   load_first(from, n), store_first(to, n, a)             the first n; no byte past those is accessed
//   store_past_caches(to, a)    to is aligned to a register; the line is not fetched, nor kept
//   finish_stores()             before another thread may read what was stored past the caches
//   load_once(from)             stays in a register until its last use; the compiler may make other loads
//                               part of each instruction that uses them
//   load_every_fourth(from)     floats 0, 4, 8, …; may read 4 · width of them
//   add, subtract, multiply, divide                        rounded once
//   multiply_add(a, b, c)       a · b + c; rounded once or twice
//   fused_multiply_add(a, b, c), fused_subtract_product(c, a, b)     a · b + c and c − a · b; rounded once
//   maximum(a, b)               a > b ? a : b, so b if one is NaN
//   greater_lanes(a, b)         bit i: whether lane i of a is greater than that of b
//   select_lanes(bits, a)       a in the lanes whose bit is set, 0 in the others
//   transpose(rows)             of `width` registers: lane j of row i and lane i of row j change places
//   total(a), largest(a)        over the lanes: upper half with lower half, and so on
//   store_quantized(to, a)      `width` bytes min(255, round(a)), ties to even; a ≥ 0, or no number, for
//                               which the byte may be any
//   store_quantized_square(to, below, a)                   likewise the four pixels a[2][2], 32 bytes apart
//   in
//                               both rows; negative numbers and what is no number give 0
//
//   Sixteen                     sixteen floats, half a block of 8-bit activations
//   load_sixteen(from), load_sixteen(lower, upper)         from one address, or eight from each of two
//   multiply_sixteen, add_sixteen, not_below_zero_sixteen (0 for NaN)
//   store_quantized_sixteen(to, a)                         as store_quantized; a ≥ 0
//   store_quantized_sixteens(to, a, b)                     the same for two, each from 0 to below 2^31
//   store_lower_eight(to, a), store_upper_eight(to, a)
//   SixteenIntegers, load_sixteen_integers(from), maximum_sixteen_integers, to_floats_sixteen
//
//   Doubles                     doubles_width of them
//   load_doubles(from), load_first_doubles(from, n)        from floats; the second pads with zeros
//   store_doubles(to, a), store_first_doubles(to, n, a)    to floats
//   broadcast_double, zero_double, add_double, subtract_double, maximum_double, multiply_add_double
//   first_doubles(a, n)         a with zeros after the first n
//   nearest_product(a, b)       an integer next to a · b: the nearest, except for rounding of the product
//   scale_by_power_of_two(a, n) a · 2^n for integers n, if the result is a normal number
//   total_double(a)
//
//   Words                       `words` integers of 16 bits
//   broadcast_word, add_words, subtract_words
//   multiply_rounded(a, b)      (a · b + 2^14) >> 15
//   Pixels                      pixel_blocks (1 or 2) blocks of 32 unsigned bytes
//   load_pixels(from, second)   one block from each address; `second` is ignored where pixel_blocks is 1
//   PixelWords                  the same number of 16-bit integers, as Words `lower` and `upper`, in an order
//   that
//                               only store_bytes knows
//   weighted_pixels<x, y>(a, b) x · a + y · b, where neither product nor sum overflows; −128 ≤ x, y ≤ 127
//   store_bytes<zero_point>(to, a)                         PixelWords + zero_point, saturated to bytes, in
//   the order
//                               of Pixels; the zero point is 128, or 0 where a ≥ 0
//
//   Sum                         `width` sums of 32 bits
//   zero_sum, load_sum(from), store_sum(to, a), total_sum(a)
//   to_floats(sum), load_converted(from integers)
//   Quad, broadcast_quad(from)  four unsigned bytes, to every lane
//   Quads, load_quads(from)     four unsigned bytes per lane
//   QuadWeights, load_quad_weights(from)                   four signed bytes per lane
//   dot4(quad, weights, sum)    for Quad or Quads: sum + Σ of four products in each lane, exact
//   load_interleaved(rows, weights)  of four rows of 4 · width signed bytes: their bytes side by side, in
//                               weights[4] and in the order of kernels/simd/interleaved.h
//
//   from_bits_in_mantissa(sum, mask, exponent)             the float whose bits are sum & mask | exponent
//   shift_right(sum, n)         shifts in zeros
//   load_first_sum(from, n)     the first n lanes, padded with zeros
//   load_half_scales(from, n)   n half-precision numbers, each for four lanes, padded with zeros
#pragma once

#include <cstddef>
#include <cstdint>

#include VGG19_SIMD_HEADER
