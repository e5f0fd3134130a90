import Kernels

extension KernelCase {
  private static let images = 32

  /// LeNet's (LeCun et al., Proceedings of the IEEE 1998), some such as in later networks, and one of
  /// so few filters that vectors of all kernel sets have two numbers of each.
  static var convolutions: [KernelCase] {
    let same = ImageWindows.Padding(top: 1, left: 1, bottom: 1, right: 1)
    let layers: [(ImageWindows, filters: Int)] = [
      (
        ImageWindows(
          height: 28, width: 28, channels: 1, kernelHeight: 5, kernelWidth: 5,
          padding: .init(top: 2, left: 2, bottom: 2, right: 2)), 6
      ),
      (ImageWindows(height: 14, width: 14, channels: 6, kernelHeight: 5, kernelWidth: 5), 16),
      (
        ImageWindows(
          height: 28, width: 28, channels: 32, kernelHeight: 3, kernelWidth: 3, padding: same), 32
      ),
      (
        ImageWindows(
          height: 28, width: 28, channels: 64, kernelHeight: 3, kernelWidth: 3, padding: same), 64
      ),
      (
        ImageWindows(
          height: 7, width: 7, channels: 128, kernelHeight: 3, kernelWidth: 3, padding: same), 128
      ),
      (
        ImageWindows(
          height: 28, width: 28, channels: 1, kernelHeight: 3, kernelWidth: 3, padding: same), 2
      ),
    ]
    return ConvolutionPart.allCases.flatMap { part in
      layers.map { convolution(part, $0.0, filters: $0.filters) }
    }
  }

  private enum ConvolutionPart: String, CaseIterable {
    case forward = "convolution"
    case byWeights = "convolutionGradient/weights"
    case byImages = "convolutionGradient/images"
  }

  private static func convolution(
    _ part: ConvolutionPart, _ windows: ImageWindows, filters: Int
  ) -> KernelCase {
    let weightCount = windows.patchSize * filters
    let bytes = 4 * (images * (windows.imageSize + windows.count * filters) + weightCount)
    let shape =
      "\(images)x\(windows.height)x\(windows.width)x\(windows.channels) "
      + "\(windows.kernelHeight)x\(windows.kernelWidth)x\(filters)"
    return KernelCase(
      group: .convolution, kernel: part.rawValue, shape: shape,
      flops: 2 * Double(images * windows.count) * Double(weightCount), bytes: bytes,
      footprint: bytes
    ) { kernels in
      func operand(_ count: Int, _ seed: UInt64, isResult: Bool) -> Operand<Float> {
        isResult ? Operand(results: count) : Operand(count, seed: seed)
      }
      let x = operand(images * windows.imageSize, 1, isResult: part == .byImages)
      let w = operand(weightCount, 2, isResult: part == .byWeights)
      let y = operand(images * windows.count * filters, 3, isResult: part == .forward)
      let (xs, ws) = (
        x.matrix(images, windows.imageSize), w.matrix(windows.patchSize, filters)
      )
      let ys = y.matrix(images, windows.count * filters)
      let shards = ShardRows(first: 0, ends: (1...8).map { $0 * images / 8 })
      let result: Operand<Float>
      let call: () -> Void
      switch part {
      case .forward:
        result = y
        call = { kernels.convolution(xs, ws, windows, into: ys) }
      case .byWeights:
        result = w
        call = {
          kernels.convolutionGradient(byWeightsOf: xs, ys, windows, over: shards, into: ws)
        }
      case .byImages:
        result = x
        call = { kernels.convolutionGradient(byImagesOf: ys, ws, windows, into: xs) }
      }
      let loop = ConvolutionLoop(windows, filters: filters, images: images, x: x, w: w, y: y)
      return PreparedKernel(
        call: call, count: result.count, result: { Double(result.base[$0]) }
      ) {
        switch part {
        case .forward: loop.output($0)
        case .byWeights: loop.weightGradient($0)
        case .byImages: loop.imageGradient($0)
        }
      }
    }
  }
}

/// A convolution and its gradients element by element, as they are written in a book.
private struct ConvolutionLoop {
  private let windows: ImageWindows
  private let filters: Int
  private let images: Int
  private let x: Operand<Float>
  private let w: Operand<Float>
  private let y: Operand<Float>

  init(
    _ windows: ImageWindows, filters: Int, images: Int, x: Operand<Float>, w: Operand<Float>,
    y: Operand<Float>
  ) {
    (self.windows, self.filters, self.images) = (windows, filters, images)
    (self.x, self.w, self.y) = (x, w, y)
  }

  private struct Sum {
    var value = 0.0
    var scale = 0.0
    var terms = 0

    mutating func add(_ a: Float, _ b: Float) {
      let product = Double(a) * Double(b)
      value += product
      scale += abs(product)
      terms += 1
    }

    /// A rounding for each product and for each sum, where they are not fused.
    var expected: Expected { Expected(value, roundings: 2 * terms, scale: scale) }
  }

  /// Where a pixel of a window lies; nil in the padding.
  private func place(_ image: Int, _ oy: Int, _ ox: Int, _ ky: Int, _ kx: Int) -> Int? {
    let row = oy * windows.strideY + ky - windows.padding.top
    let column = ox * windows.strideX + kx - windows.padding.left
    guard (0..<windows.height).contains(row), (0..<windows.width).contains(column) else {
      return nil
    }
    return ((image * windows.height + row) * windows.width + column) * windows.channels
  }

  private func outputPlace(_ image: Int, _ oy: Int, _ ox: Int) -> Int {
    ((image * windows.outputHeight + oy) * windows.outputWidth + ox) * filters
  }

  private func weightPlace(_ ky: Int, _ kx: Int, _ channel: Int) -> Int {
    ((ky * windows.kernelWidth + kx) * windows.channels + channel) * filters
  }

  func output(_ index: Int) -> Expected {
    let (window, filter) = (index / filters % windows.count, index % filters)
    let image = index / filters / windows.count
    var sum = Sum()
    for ky in 0..<windows.kernelHeight {
      for kx in 0..<windows.kernelWidth {
        guard
          let pixel = place(
            image, window / windows.outputWidth, window % windows.outputWidth, ky, kx)
        else { continue }
        for channel in 0..<windows.channels {
          sum.add(x.base[pixel + channel], w.base[weightPlace(ky, kx, channel) + filter])
        }
      }
    }
    return sum.expected
  }

  func weightGradient(_ index: Int) -> Expected {
    let (element, filter) = (index / filters, index % filters)
    let (pixel, channel) = (element / windows.channels, element % windows.channels)
    let (ky, kx) = (pixel / windows.kernelWidth, pixel % windows.kernelWidth)
    var sum = Sum()
    for image in 0..<images {
      for oy in 0..<windows.outputHeight {
        for ox in 0..<windows.outputWidth {
          guard let pixel = place(image, oy, ox, ky, kx) else { continue }
          sum.add(x.base[pixel + channel], y.base[outputPlace(image, oy, ox) + filter])
        }
      }
    }
    return sum.expected
  }

  func imageGradient(_ index: Int) -> Expected {
    let channel = index % windows.channels
    let image = index / windows.imageSize
    var sum = Sum()
    for oy in 0..<windows.outputHeight {
      for ox in 0..<windows.outputWidth {
        for ky in 0..<windows.kernelHeight {
          for kx in 0..<windows.kernelWidth
          where place(image, oy, ox, ky, kx) == index - channel {
            for filter in 0..<filters {
              sum.add(
                y.base[outputPlace(image, oy, ox) + filter],
                w.base[weightPlace(ky, kx, channel) + filter])
            }
          }
        }
      }
    }
    return sum.expected
  }
}
