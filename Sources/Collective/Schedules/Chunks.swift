/// A buffer cut into one chunk per rank, as equal as whole elements allow.
struct Chunks {
  let count: Int
  let parts: Int

  /// The elements of chunk `index`, counted modulo `parts`.
  subscript(index: Int) -> Range<Int> {
    let i = ((index % parts) + parts) % parts
    return i * count / parts..<(i + 1) * count / parts
  }
}
