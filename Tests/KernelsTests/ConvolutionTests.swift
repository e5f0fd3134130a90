import Testing

@testable import Kernels

/// Convolutions against their definition, patch by patch, in Double.
///
/// The bound is that of the products (`MatrixProductTests`): one u for each term of a sum.
struct ConvolutionTests {
  /// A convolution's operands.
  struct Case {
    var windows: ImageWindows
    var filters: Int
    var x: Grid
    var w: Grid
    var dy: Grid

    init(_ windows: ImageWindows, filters: Int, images: Int, number: Int) {
      self.windows = windows
      self.filters = filters
      x = Grid(rows: images, columns: windows.imageSize, random: 3 * number)
      w = Grid(rows: windows.patchSize, columns: filters, random: 3 * number + 1)
      dy = Grid(rows: images, columns: windows.count * filters, random: 3 * number + 2)
    }
  }

  static let cases: [Case] = {
    var draws = Draws(40)
    var cases = ImageWindows.random(150, number: 41).enumerated().map { number, windows in
      let filters = [1, 2, 6, 15, 16, 17, 32, 33, 65][draws.next(in: 0...8)]
      return Case(
        windows, filters: filters, images: draws.next(in: 1...5), number: number)
    }
    // More than a block of patches, and of its depth; windows that are pixels.
    let large = ImageWindows(
      height: 12, width: 12, channels: 130, kernelHeight: 3, kernelWidth: 3,
      padding: .init(top: 1, left: 1, bottom: 1, right: 1))
    cases.append(Case(large, filters: 5, images: 2, number: 200))
    let pixels = ImageWindows(
      height: 4, width: 5, channels: 7, kernelHeight: 1, kernelWidth: 1)
    cases.append(Case(pixels, filters: 9, images: 4, number: 201))
    // Larger images of few channels: rows of windows that are cut into tiles.
    for number in 0..<20 {
      let (kernelHeight, kernelWidth) = (draws.next(in: 1...5), draws.next(in: 2...5))
      let windows = ImageWindows(
        height: draws.next(in: 6...11), width: draws.next(in: 9...34),
        channels: [1, 1, 2, 3, 6][draws.next(in: 0...4)], kernelHeight: kernelHeight,
        kernelWidth: kernelWidth, strideY: draws.next(in: 1...2), strideX: draws.next(in: 1...2),
        padding: .init(
          top: draws.next(in: 0...kernelHeight - 1), left: draws.next(in: 0...kernelWidth - 1),
          bottom: draws.next(in: 0...kernelHeight - 1),
          right: draws.next(in: 0...kernelWidth - 1)))
      let filters = [1, 2, 3, 6, 8, 16, 19][draws.next(in: 0...6)]
      cases.append(Case(windows, filters: filters, images: 2, number: 202 + number))
    }
    // LeNet's.
    let first = ImageWindows(
      height: 28, width: 28, channels: 1, kernelHeight: 5, kernelWidth: 5,
      padding: .init(top: 2, left: 2, bottom: 2, right: 2))
    cases.append(Case(first, filters: 6, images: 2, number: 230))
    let second = ImageWindows(height: 14, width: 14, channels: 6, kernelHeight: 5, kernelWidth: 5)
    cases.append(Case(second, filters: 16, images: 2, number: 231))
    // A window an image: several images' gradients in a vector.
    let single = ImageWindows(height: 3, width: 3, channels: 1, kernelHeight: 3, kernelWidth: 3)
    cases.append(Case(single, filters: 1, images: 5, number: 232))
    cases.append(Case(single, filters: 3, images: 4, number: 233))
    return cases
  }()

  @Test("a convolution multiplies the patches", arguments: InstructionSet.supported)
  func forward(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for test in ConvolutionTests.cases {
      let patches = test.windows.patches(test.x)
      let exact = ExactProduct(
        patches.values, (patches.columns, 1), test.w.values, (test.filters, 1),
        rows: patches.rows, columns: test.filters, depth: patches.columns)
      let y = kernels.convolution(test.x, test.w, test.windows)
      let rows = Grid(rows: patches.rows, columns: test.filters, y.values)
      let wrong = exact.mismatches(rows, roundings: patches.columns + MatrixProductTests.slack)
      #expect(wrong == 0, "\(test.windows), \(test.filters) filters")
    }
  }

  @Test(
    "the gradient by the weights is summed over all windows, however images are cut into shards",
    arguments: InstructionSet.supported)
  func byWeights(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for test in ConvolutionTests.cases {
      let patches = test.windows.patches(test.x)
      let exact = ExactProduct(
        patches.values, (1, patches.columns), test.dy.values, (test.filters, 1),
        rows: patches.columns, columns: test.filters, depth: patches.rows)
      let images = test.x.rows
      for ends in [[images], [images / 2, images / 2, images], Array(1...images)] {
        let shards = ShardRows(first: 0, ends: ends)
        let dw = kernels.convolutionByWeights(test.x, test.dy, test.windows, over: shards)
        let wrong = exact.mismatches(
          dw, roundings: patches.rows + 2 * 3 + MatrixProductTests.slack)
        #expect(wrong == 0, "\(test.windows), \(test.filters) filters, \(shards)")
      }
    }
  }

  @Test(
    "the gradient by the images goes back to the pixels of each window",
    arguments: InstructionSet.supported)
  func byImages(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for test in ConvolutionTests.cases {
      let (windows, filters) = (test.windows, test.filters)
      var exact = [Double](repeating: 0, count: test.x.values.count)
      var sizes = exact
      for image in 0..<test.x.rows {
        windows.forEachPixel { window, pixel, index in
          for c in 0..<windows.channels {
            guard let input = index(c) else { continue }
            for filter in 0..<filters {
              let term =
                Double(test.dy.values[(image * windows.count + window) * filters + filter])
                * Double(test.w.values[(pixel * windows.channels + c) * filters + filter])
              exact[image * windows.imageSize + input] += term
              sizes[image * windows.imageSize + input] += term.magnitude
            }
          }
        }
      }
      let dx = kernels.convolutionByImages(test.dy, test.w, windows)
      // However a pixel's windows are summed: a rounding for each term.
      let roundings = filters * windows.kernelHeight + windows.kernelHeight * windows.kernelWidth
      let bound = Double(roundings + MatrixProductTests.slack) * unitRoundoff
      let wrong = exact.indices.count {
        !((Double(dx.values[$0]) - exact[$0]).magnitude <= bound * sizes[$0])
      }
      #expect(wrong == 0, "\(windows), \(filters) filters")
    }
  }

  @Test(
    "results and gradients by the weights are chains of multiply-adds in the order of windows",
    arguments: InstructionSet.supported)
  func chains(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for test in ConvolutionTests.cases.suffix(60) {
      let patches = test.windows.patches(test.x)
      let y = kernels.convolution(test.x, test.w, test.windows)
      let expected = ProductBitsTests.bits(instructions, patches, test.w) { _, _ in 0 }
      #expect(
        difference(y.bits, expected) == nil, "\(test.windows), \(test.filters) filters")
      let dw = kernels.convolutionByWeights(
        test.x, test.dy, test.windows, over: ShardRows(undivided: test.x.rows))
      let dy = Grid(rows: patches.rows, columns: test.filters, test.dy.values)
      let sums = ProductBitsTests.bits(instructions, patches.transposed, dy) { _, _ in 0 }
      #expect(difference(dw.bits, sums) == nil, "\(test.windows), \(test.filters) filters")
    }
  }

  @Test(
    "AVX2 and AVX-512 give the same gradients by the images",
    .enabled(if: InstructionSet.avx512.isSupported))
  func sameBits() {
    let (a, b) = (KernelSet(.avx2), KernelSet(.avx512))
    for test in ConvolutionTests.cases {
      let dx = a.convolutionByImages(test.dy, test.w, test.windows)
      let other = b.convolutionByImages(test.dy, test.w, test.windows)
      #expect(difference(dx.bits, other.bits) == nil, "\(test.windows), \(test.filters) filters")
    }
  }

  @Test(
    "infinity in a gradient reaches the pixels of its window alone",
    arguments: InstructionSet.supported)
  func nonFiniteGradient(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let windows = ImageWindows(height: 1, width: 12, channels: 3, kernelHeight: 1, kernelWidth: 3)
    var dy = Grid(rows: 1, columns: 20, [Float](repeating: 0, count: 20))
    dy.values[2 * 4] = .infinity
    let w = Grid(rows: 9, columns: 2, [Float](repeating: 1, count: 18))
    let dx = kernels.convolutionByImages(dy, w, windows).values
    let isInfinite = (0..<36).map { (12..<21).contains($0) }
    #expect(dx.map { $0 == .infinity } == isInfinite)
    #expect(zip(dx, isInfinite).allSatisfy { $1 || $0 == 0 })
  }

  @Test(
    "an image's results and gradients do not depend on the images beside it",
    arguments: InstructionSet.supported)
  func independence(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for test in ConvolutionTests.cases where test.x.rows > 1 {
      let y = kernels.convolution(test.x, test.w, test.windows)
      let dx = kernels.convolutionByImages(test.dy, test.w, test.windows)
      let last = test.x.rows - 1..<test.x.rows
      let alone = kernels.convolution(test.x.part(last), test.w, test.windows)
      #expect(alone.bits == y.part(last).bits, "\(test.windows)")
      let aloneBack = kernels.convolutionByImages(test.dy.part(last), test.w, test.windows)
      #expect(aloneBack.bits == dx.part(last).bits, "\(test.windows)")
    }
  }

  @Test("bias and ReLU are those of layers of their own", arguments: InstructionSet.supported)
  func fused(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for test in ConvolutionTests.cases.prefix(40) {
      let bias = randomValues(test.filters, 9)
      let y = test.x.read { x in
        test.w.read { w in
          bias.withUnsafeBufferPointer { bias in
            Grid(rows: x.rows, columns: test.dy.columns) {
              kernels.convolution(
                x, w, test.windows, into: $0, from: .bias(bias.baseAddress!), then: .relu)
            }
          }
        }
      }
      let exact = kernels.convolution(test.x, test.w, test.windows)
      // Both are sums of terms below 1, good to as many roundings as they have terms; the bias is one
      // more.
      let terms = Double(test.windows.patchSize + 1)
      let bound = 2 * terms * terms * unitRoundoff
      for (i, value) in exact.values.enumerated() {
        let expected = max(0, Double(value) + Double(bias[i % test.filters]))
        #expect((Double(y.values[i]) - expected).magnitude <= bound)
      }
    }
  }

  @Test("infinity and NaN reach the windows that see them", arguments: InstructionSet.supported)
  func nonFinite(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let windows = ImageWindows(height: 3, width: 3, channels: 1, kernelHeight: 2, kernelWidth: 2)
    let x = Grid(rows: 1, columns: 9, [.infinity, 1, 1, 1, 1, 1, 1, 1, .nan])
    let w = Grid(rows: 4, columns: 1, [1, 1, 1, 1])
    let y = kernels.convolution(x, w, windows).values
    #expect(y[0] == .infinity && y[1] == 4 && y[2] == 4 && y[3].isNaN)
  }

  @Test("convolutions stay in bounds", arguments: InstructionSet.supported, Fences.Side.allCases)
  func bounds(instructions: InstructionSet, side: Fences.Side) {
    let kernels = KernelSet(instructions)
    for test in ConvolutionTests.cases.suffix(60) {
      Fences.with(side) { fences in
        let (x, w, dy) = (fences.input(test.x), fences.input(test.w), fences.input(test.dy))
        let y = fences.output(rows: x.rows, columns: dy.columns)
        kernels.convolution(x, w, test.windows, into: y)
        kernels.convolutionGradient(
          byWeightsOf: x, dy, test.windows, over: ShardRows(undivided: x.rows),
          into: fences.output(rows: w.rows, columns: w.columns))
        kernels.convolutionGradient(
          byImagesOf: dy, w, test.windows,
          into: fences.output(rows: x.rows, columns: x.columns))
      }
    }
  }
}

extension KernelSet {
  func convolution(_ x: Grid, _ w: Grid, _ windows: ImageWindows) -> Grid {
    x.read { x in
      w.read { w in
        Grid(rows: x.rows, columns: windows.count * w.columns) {
          self.convolution(x, w, windows, into: $0)
        }
      }
    }
  }

  func convolutionByWeights(
    _ x: Grid, _ dy: Grid, _ windows: ImageWindows, over shards: ShardRows
  ) -> Grid {
    x.read { x in
      dy.read { dy in
        Grid(rows: windows.patchSize, columns: dy.columns / windows.count) {
          self.convolutionGradient(byWeightsOf: x, dy, windows, over: shards, into: $0)
        }
      }
    }
  }

  func convolutionByImages(_ dy: Grid, _ w: Grid, _ windows: ImageWindows) -> Grid {
    dy.read { dy in
      w.read { w in
        Grid(rows: dy.rows, columns: windows.imageSize) {
          self.convolutionGradient(byImagesOf: dy, w, windows, into: $0)
        }
      }
    }
  }
}
