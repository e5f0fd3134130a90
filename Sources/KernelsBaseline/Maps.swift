// Loops over elements: a function of one or two vectors over whole buffers, and sums. The tail goes through
// the same function as the body, so that an element's bits do not depend on where it lies.
//
// Not left to the vectoriser, which takes the scalar loop where operands overlap, as they do in
// place. Here every vector of operands is read before its result is written.
//
// The function is passed by name, as one that is always inlined: a closure of some length is called
// once per vector, which passes through memory.

/// y[i] = function(x[i]); `y` may be `x`.
@inline(__always)
func map(
  _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
  _ function: (Vector) -> Vector
) {
  var i = 0
  while i < count {
    let rest = count - i
    store(function(load(x + i, atMost: rest)), y + i, atMost: rest)
    i += lanes
  }
}

/// y[i] = function(a[i], b[i]); `y` may be `a` or `b`.
@inline(__always)
func map(
  _ count: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ function: (Vector, Vector) -> Vector
) {
  var i = 0
  while i < count {
    let rest = count - i
    store(function(load(a + i, atMost: rest), load(b + i, atMost: rest)), y + i, atMost: rest)
    i += lanes
  }
}

/// The sum of `count` terms, lane by lane, then over lanes: an order that depends on `count` only.
///
/// - Parameter terms: the terms from `j`, of which the first `count` are counted.
@inline(__always)
func sum(_ count: Int, _ terms: (_ j: Int, _ count: Int) -> Vector) -> Float {
  // Four sums, so that one addition does not wait for the other.
  var (s0, s1, s2, s3) = (
    Vector(repeating: 0), Vector(repeating: 0), Vector(repeating: 0), Vector(repeating: 0)
  )
  var j = 0
  while j + 4 * lanes <= count {
    s0 += terms(j, lanes)
    s1 += terms(j + lanes, lanes)
    s2 += terms(j + 2 * lanes, lanes)
    s3 += terms(j + 3 * lanes, lanes)
    j += 4 * lanes
  }
  while j + lanes <= count {
    s0 += terms(j, lanes)
    j += lanes
  }
  if j < count {
    s1 += Vector(repeating: 0)
      .replacing(with: terms(j, count - j), where: isLane(below: count - j))
  }
  return sum((s0 + s1) + (s2 + s3))
}
