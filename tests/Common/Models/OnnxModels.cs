namespace Cluster.Tests.Common;

/// <summary>
/// Models made for these tests. Each takes <c>X</c> FP32 [1]. For X = 0 every element of its output <c>Y</c> is the number that the model was made with, so
/// that an answer tells which model gave it.
/// </summary>
public static class OnnxModels
{
    private const int RowWidth = 16;
    private const int ImageSize = 3;
    private const int FloatsPerMiB = (1 << 20) / sizeof(float);

    /// <summary>The size of the matrices whose products make a model slow to run; one product takes about 1 ms on one core.</summary>
    private const int RunSize = 256;

    /// <summary>The size of the matrices whose products make a model slow to load; one product takes about 5 ms on one core.</summary>
    private const int LoadSize = 512;

    /// <summary>X + the number.</summary>
    public static byte[] Small(float number)
    {
        var graph = new OnnxGraph();
        graph.NodeTo("Y", "Add", ["X", graph.Constant([number], 1)]);
        return graph.ToBytes(1);
    }

    /// <summary>
    /// Holds so many MiB of weights. A request reads one row of them, the one that X says, so that ONNX Runtime can neither leave them out nor take long.
    /// </summary>
    public static byte[] Sized(float number, int mebibytes)
    {
        var rows = mebibytes * FloatsPerMiB / RowWidth;
        var weights = new float[rows * RowWidth];
        Array.Fill(weights, number);
        var graph = new OnnxGraph();
        var row = graph.Node("Cast", ["X"], OnnxGraph.ToInt64);
        graph.NodeTo("Y", "Gather", [graph.Constant(weights, rows, RowWidth), row]);
        return graph.ToBytes(1, RowWidth);
    }

    /// <summary>A run is so many products of matrices of X, none of which can be known before.</summary>
    public static byte[] SlowToRun(float number, int products)
    {
        var graph = new OnnxGraph();
        var mean = graph.Constant(Filled(RunSize, 1f / RunSize), RunSize, RunSize);
        var state = graph.Node("Mul", ["X", graph.Constant(Filled(RunSize, 1), RunSize, RunSize)]);
        for (var i = 0; i < products; i++)
        {
            state = graph.Node("MatMul", [state, mean]);
        }

        var average = graph.Node("ReduceMean", [state], ("keepdims", 0));
        graph.NodeTo("Y", "Add", [average, graph.Constant([number], 1)]);
        return graph.ToBytes(1);
    }

    /// <summary>
    /// A load is so many products of constant matrices: ONNX Runtime computes what is constant when it optimizes the graph, on the loading thread, so that
    /// the time of a load grows evenly with them. What is left is X + the number.
    /// </summary>
    public static byte[] SlowToLoad(float number, int products)
    {
        var graph = new OnnxGraph();
        var mean = graph.Constant(Filled(LoadSize, 1f / LoadSize), LoadSize, LoadSize);
        var state = mean;
        for (var i = 0; i < products; i++)
        {
            state = graph.Node("MatMul", [state, mean]);
        }

        // Powers of two: the product is the number, exactly.
        var average = graph.Node("ReduceMean", [state], ("keepdims", 0));
        var known = graph.Node("Mul", [average, graph.Constant([number * LoadSize], 1)]);
        graph.NodeTo("Y", "Add", ["X", known]);
        return graph.ToBytes(1);
    }

    /// <summary>A run takes memory for X + 1 floats, for any X.</summary>
    public static byte[] Hungry(float number)
    {
        var graph = new OnnxGraph();
        var count = graph.Node("Cast", [graph.Node("Add", ["X", graph.Constant([1], 1)])], OnnxGraph.ToInt64);
        var mean = graph.Node("ReduceMean", [graph.Node("ConstantOfShape", [count])]);
        graph.NodeTo("Y", "Add", [mean, graph.Constant([number], 1)]);
        return graph.ToBytes(1);
    }

    /// <summary>Each run fails: it reads a row that is not there.</summary>
    public static byte[] FailsToRun()
    {
        var graph = new OnnxGraph();
        var row = graph.Node("Cast", [graph.Node("Add", ["X", graph.Constant([RowWidth], 1)])], OnnxGraph.ToInt64);
        graph.NodeTo("Y", "Gather", [graph.Constant(new float[RowWidth], RowWidth), row]);
        return graph.ToBytes(1);
    }

    /// <summary>A run with X = 1 never ends: ONNX Runtime's convolution does not return where its kernel has no elements.</summary>
    public static byte[] Endless(float number)
    {
        var graph = new OnnxGraph();
        var one = graph.Constant([1], 1);
        var size = graph.Node("Sub", [one, "X"]);
        var shape = graph.Node("Cast", [graph.Node("Concat", [one, one, size, size], ("axis", 0))], OnnxGraph.ToInt64);
        var image = graph.Constant(Filled(ImageSize, 1), 1, 1, ImageSize, ImageSize);
        var mean = graph.Node("ReduceMean", [graph.Node("Conv", [image, graph.Node("ConstantOfShape", [shape])])], ("keepdims", 0));
        graph.NodeTo("Y", "Add", [mean, graph.Constant([number], 1)]);
        return graph.ToBytes(1);
    }

    /// <summary>As <see cref="SlowToRun"/>, of operators that OpenVINO takes all. Its output is [1, 1].</summary>
    public static byte[] SlowProducts(float number, int products)
    {
        var graph = new OnnxGraph();
        var mean = graph.Constant(Filled(RunSize, 1f / RunSize), RunSize, RunSize);
        var state = graph.Node("Mul", ["X", graph.Constant(Filled(RunSize, 1), RunSize, RunSize)]);
        for (var i = 0; i < products; i++)
        {
            state = graph.Node("MatMul", [state, mean]);
        }

        float[] ones = [.. Enumerable.Repeat(1f / RunSize, RunSize)];
        var average = graph.Node("MatMul", [graph.Node("MatMul", [graph.Constant(ones, 1, RunSize), state]), graph.Constant(ones, RunSize, 1)]);
        graph.NodeTo("Y", "Add", [average, graph.Constant([number], 1)]);
        return graph.ToBytes(1, 1);
    }

    /// <summary>The determinant of a matrix of X: OpenVINO takes the products before it, and not the determinant.</summary>
    public static byte[] Determinant(float number)
    {
        var graph = new OnnxGraph();
        var mean = graph.Constant(Filled(ImageSize, 1f / ImageSize), ImageSize, ImageSize);
        var state = graph.Node("MatMul", [graph.Node("Mul", ["X", mean]), mean]);
        var one = graph.Node("Reshape", [graph.Node("Det", [state]), graph.Node("Cast", [graph.Constant([1], 1)], OnnxGraph.ToInt64)]);
        graph.NodeTo("Y", "Add", [one, graph.Constant([number], 1)]);
        return graph.ToBytes(1);
    }

    /// <summary>Not a model.</summary>
    public static byte[] Corrupt() => [.. Enumerable.Repeat((byte)0xA5, 4096)];

    private static float[] Filled(int size, float value)
    {
        var values = new float[size * size];
        Array.Fill(values, value);
        return values;
    }
}
