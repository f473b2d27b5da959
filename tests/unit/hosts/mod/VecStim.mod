COMMENT
Who     cells of a NetPyNE population with spikes of its own, which asks for this name
In      play(vector), ascending times (ms), 100 at most
Out     an event at each
ENDCOMMENT

NEURON {
    ARTIFICIAL_CELL VecStim
    RANGE times, number
}

ASSIGNED {
    times[100] (ms)
    number
    next
}

INITIAL {
    next = 0
    if (number > 0) {
        net_send(times[0], 1)
    }
}

NET_RECEIVE(w) {
    if (flag == 1) {
        net_event(t)
        next = next + 1
        if (next < number) {
            net_send(times[next] - t, 1)
        }
    }
}

PROCEDURE play() {
VERBATIM
    auto* nn_given = vector_arg(1);
    number = vector_capacity(nn_given) < 100 ? vector_capacity(nn_given) : 100;
    for (int nn_k = 0; nn_k < number; ++nn_k) {
        times[nn_k] = vector_vec(nn_given)[nn_k];
    }
ENDVERBATIM
}
