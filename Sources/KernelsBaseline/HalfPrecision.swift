// float16 (IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits) and bfloat16 (the upper half
// of a float32: 1, 8, 7) to float32 and back. Loops that the compiler vectorises by itself.

func widenBfloat16(_ count: Int, _ x: UnsafePointer<UInt16>, _ y: UnsafeMutablePointer<Float>) {
  for i in 0..<count { y[i] = Float(bitPattern: UInt32(x[i]) &<< 16) }
}

/// Adds just less than half a unit of the last bit that stays, and the rest of the half if that bit
/// is odd; a carry into the exponent is right, up to infinity.
func narrowBfloat16(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt16>) {
  for i in 0..<count {
    let bits = x[i].bitPattern
    let rounded = (bits &+ 0x7fff &+ (bits &>> 16 & 1)) &>> 16
    y[i] = UInt16(truncatingIfNeeded: x[i] == x[i] ? rounded : 0x7fc0)
  }
}

#if KERNELS_AVX512 || KERNELS_AVX2 || arch(arm64)
  // The CPU converts (F16C, NEON).

  func widenFloat16(_ count: Int, _ x: UnsafePointer<UInt16>, _ y: UnsafeMutablePointer<Float>) {
    for i in 0..<count { y[i] = Float(Float16(bitPattern: x[i])) }
  }

  func narrowFloat16(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt16>) {
    for i in 0..<count { y[i] = x[i] == x[i] ? Float16(x[i]).bitPattern : 0x7e00 }
  }
#else
  // Without F16C, `Float(Float16)` would be a call to the compiler's run-time library per element.

  func widenFloat16(_ count: Int, _ x: UnsafePointer<UInt16>, _ y: UnsafeMutablePointer<Float>) {
    for i in 0..<count { y[i] = Float(bitPattern: widened(UInt32(x[i]))) }
  }

  func narrowFloat16(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<UInt16>) {
    for i in 0..<count { y[i] = UInt16(truncatingIfNeeded: narrowed(x[i].bitPattern)) }
  }

  /// The bits of the float32 that equals a float16 of these bits.
  @inline(__always)
  private func widened(_ half: UInt32) -> UInt32 {
    let magnitude = half & 0x7fff
    // Exponent and fraction in their places, and the difference of the biases, 127 - 15.
    let normal = magnitude &<< 13 &+ 112 &<< 23
    // Infinity and NaN have the largest exponent there too: 255 for 31. A NaN becomes quiet.
    let special = magnitude &<< 13 | 0x7f80_0000 | (magnitude > 0x7c00 ? 0x0040_0000 : 0)
    // Without its implied bit, a fraction is a multiple of 2^-24.
    let subnormal = (Float(Int32(bitPattern: magnitude)) * 0x1p-24).bitPattern
    let bits = magnitude < 0x0400 ? subnormal : magnitude < 0x7c00 ? normal : special
    return bits | (half & 0x8000) &<< 16
  }

  /// The bits of the float16 nearest to a float32 of these bits.
  @inline(__always)
  private func narrowed(_ bits: UInt32) -> UInt32 {
    let magnitude = bits & 0x7fff_ffff
    // Rounded like bfloat16, at bit 13; from 2^16 on infinity, and from halfway there by the carry.
    let odd = magnitude &>> 13 & 1
    let normal = (magnitude &- 112 &<< 23 &+ 0xfff &+ odd) &>> 13
    // Below 2^-14, the last bit of a sum with 1/2 is 2^-24: the addition rounds.
    let subnormal = (Float(bitPattern: magnitude) + 0.5).bitPattern &- Float(0.5).bitPattern
    let finite = magnitude < 113 &<< 23 ? subnormal : magnitude < 143 &<< 23 ? normal : 0x7c00
    return magnitude > 0x7f80_0000 ? 0x7e00 : finite | bits &>> 16 & 0x8000
  }
#endif
