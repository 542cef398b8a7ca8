using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Runtime;

/// <summary>A constructor parameter of a grain class that takes a stored state.</summary>
internal abstract class PersistentStateParameter(Type type, string stateName, string storageName)
{
    private const string DefaultStorage = "Default";

    /// <summary>The parameter's type, an <see cref="IPersistentState{TState}"/>.</summary>
    public Type Type { get; } = type;

    protected string StateName { get; } = stateName;

    protected string StorageName { get; } = storageName;

    public abstract IStorage Create(Activation activation);

    /// <summary>Those of a class, in the order of its constructor.</summary>
    /// <exception cref="InvalidOperationException">The attribute is on a parameter of another type, or several constructors have it.</exception>
    public static PersistentStateParameter[] Of(Type grainClass)
    {
        var constructors = grainClass.GetConstructors()
            .Where(static c => c.GetParameters().Any(static p => p.IsDefined(typeof(PersistentStateAttribute))))
            .ToArray();
        return constructors.Length switch
        {
            0 => [],
            1 => [.. constructors[0].GetParameters().Where(static p => p.IsDefined(typeof(PersistentStateAttribute))).Select(Of)],
            _ => throw new InvalidOperationException($"{grainClass} has {constructors.Length} constructors with persistent state; one is expected"),
        };
    }

    private static PersistentStateParameter Of(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(IPersistentState<>))
        {
            throw new InvalidOperationException($"parameter {parameter.Name} of {parameter.Member.DeclaringType} is {type}; [PersistentState] takes IPersistentState<T>");
        }

        var attribute = parameter.GetCustomAttribute<PersistentStateAttribute>()!;
        return (PersistentStateParameter)Activator.CreateInstance(
            typeof(Typed<>).MakeGenericType(type.GetGenericArguments()), attribute.StateName, attribute.StorageName ?? DefaultStorage)!;
    }

    private sealed class Typed<TState>(string stateName, string storageName)
        : PersistentStateParameter(typeof(IPersistentState<TState>), stateName, storageName)
    {
        public override IStorage Create(Activation activation)
        {
            var storage = activation.ActivationServices.GetKeyedService<IGrainStorage>(StorageName)
                ?? throw new InvalidOperationException(
                    $"state '{StateName}' of {activation.Class.Type} is stored in '{StorageName}', but no such grain storage is registered");
            return new PersistentState<TState>(activation, storage, StateName);
        }
    }
}
